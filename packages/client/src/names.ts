/** The words that are no filter by a column in the query string of PostgREST. */
const reserved = new Set([
  "select",
  "columns",
  "order",
  "limit",
  "offset",
  "on_conflict",
  "and",
  "or",
  "not",
]);

/** A name of a column, table or constraint in a query string, in quotes where it needs them. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) ? name : quote(name);
}

/** A value inside a list or a group, in quotes where it needs them. */
export function quoteValue(value: string): string {
  return /^[\w-]+$/.test(value) ? value : quote(value);
}

/** A text in quotes, as PostgREST and the literals of PostgreSQL's arrays take it. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A query string. Commas and brackets stay as they are, which keeps long lists short. */
export function formatQuery(query: URLSearchParams): string {
  return query.toString().replaceAll(/%2C|%28|%29|%3A/g, (encoded) => decodeURIComponent(encoded));
}
