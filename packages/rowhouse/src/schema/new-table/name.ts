/** The words that PostgreSQL reserves (manual, Appendix C): as names they need quotes. */
const reservedWords = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check
  collate collation column concurrently constraint create cross current_catalog current_date
  current_role current_schema current_time current_timestamp current_user default deferrable desc
  distinct do else end except false fetch for foreign freeze from full grant group having ilike in
  initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
  references returning right select session_user similar some symmetric system_user table
  tablesample then to trailing true union unique user using variadic verbose when where window
  with`.split(/\s+/),
);

/**
 * Whether a name needs no quotes in SQL and leaves room for what is named after it, as
 * `<name>_title_length`: PostgreSQL cuts names off at 63 bytes.
 */
export function isTableName(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,39}$/.test(name) && !reservedWords.has(name);
}
