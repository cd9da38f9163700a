/** A plain name that is no word of PostgREST's query string. */
const plainName =
  /^(?!(select|columns|order|limit|offset|on_conflict|and|or|not)$)[a-z_][a-z0-9_]*$/;

/** A name of a column, table or constraint in a query string, in quotes where it needs them. */
export function quoteName(name: string): string {
  return plainName.test(name) ? name : quote(name);
}

/** A value inside a list or a group, in quotes where it needs them. */
export function quoteValue(value: string): string {
  return /^[\w-]+$/.test(value) ? value : quote(value);
}

/** A text in quotes, as PostgREST and the literals of PostgreSQL's arrays take it. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A query string. Commas stay as they are, which keeps long lists short. */
export function formatQuery(query: URLSearchParams): string {
  return query.toString().replaceAll("%2C", ",");
}
