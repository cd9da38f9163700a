/** A value inside a list or a group, where commas and brackets have a meaning. */
export function quote(value: unknown): string {
  return `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

/**
 * A pattern for imatch that finds a text anywhere. The director `***=` tells PostgreSQL that the
 * rest is plain text and no pattern (manual, section 9.7.3.4).
 */
const literalPattern = (text: string): string => `***=${text}`;

/** Adds the conditions of a `where` to a query. */
export function addWhere(query: URLSearchParams, where: Record<string, unknown> = {}): void {
  for (const [column, wanted] of Object.entries(where)) {
    if (wanted === undefined) continue;
    const comparisons = isComparisons(wanted) ? wanted : { eq: wanted };
    for (const [operator, value] of Object.entries(comparisons)) {
      if (value !== undefined) query.append(column, formatCondition(operator, value));
    }
  }
}

/** Adds a search: at least one of the columns contains the text. */
export function addSearch(query: URLSearchParams, text: string, columns: readonly string[]): void {
  const pattern = quote(literalPattern(text));
  query.append("or", `(${columns.map((column) => `${column}.imatch.${pattern}`).join(",")})`);
}

/** At the end of a filter, PostgREST takes a value as it is, whatever its characters. */
function formatCondition(operator: string, value: unknown): string {
  if (operator === "contains") return `imatch.${literalPattern(String(value))}`;
  if (operator === "in") return formatIn([...new Set(value as unknown[])]);
  if (value === null) return operator === "neq" ? "not.is.null" : "is.null";
  return `${operator}.${String(value)}`;
}

/** A single value is compared: PostgREST takes a list of one empty text for an empty list. */
function formatIn(values: unknown[]): string {
  return values.length === 1 ? `eq.${String(values[0])}` : `in.(${values.map(quote).join(",")})`;
}

function isComparisons(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
