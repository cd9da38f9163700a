/** A value as PostgREST reads it at the end of a filter: plain, whatever is in it. */
const plain = (value: unknown): string => String(value);

/** A value inside a list or a group, where commas and brackets would mean something. */
export function quoted(value: unknown): string {
  return `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

/**
 * A pattern for imatch that finds a text wherever it stands. The director `***=` tells PostgreSQL
 * that the rest is no pattern but plain text (manual, section 9.7.3.4).
 */
const literally = (text: string): string => `***=${text}`;

/** Adds the conditions of a `where` to a query. */
export function addWhere(query: URLSearchParams, where: Record<string, unknown> = {}): void {
  for (const [column, wanted] of Object.entries(where)) {
    if (wanted === undefined) continue;
    const comparisons = isComparisons(wanted) ? wanted : { eq: wanted };
    for (const [operator, value] of Object.entries(comparisons)) {
      if (value !== undefined) query.append(column, condition(operator, value));
    }
  }
}

function condition(operator: string, value: unknown): string {
  if (operator === "contains") return `imatch.${literally(String(value))}`;
  if (operator === "in") return oneOf([...new Set(value as unknown[])]);
  if (value === null) return operator === "neq" ? "not.is.null" : "is.null";
  return `${operator}.${plain(value)}`;
}

/** A single value is compared: PostgREST takes a list of one empty text for an empty list. */
function oneOf(values: unknown[]): string {
  return values.length === 1 ? `eq.${plain(values[0])}` : `in.(${values.map(quoted).join(",")})`;
}

function isComparisons(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Adds a search: at least one of the columns holds the text. */
export function addSearch(query: URLSearchParams, text: string, columns: readonly string[]): void {
  const alternatives = columns.map((column) => `${column}.imatch.${quoted(literally(text))}`);
  query.append("or", `(${alternatives.join(",")})`);
}
