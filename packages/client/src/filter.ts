import type { TableContext } from "./context.ts";
import { type InvalidError, refused } from "./errors.ts";
import { quote, quoteName, quoteValue } from "./names.ts";
import type { ColumnKind } from "./types.ts";
import { formatValue, kindOf } from "./values.ts";

/** A `where` without the types of its table. */
export type AnyWhere = Readonly<Record<string, unknown>>;

/** A column that is compared. */
interface Compared {
  readonly column: string;
  readonly kind: ColumnKind;
  /** Writes a text of any characters where the comparison stands. */
  readonly write: (text: string) => string;
}

/**
 * A pattern for imatch that finds a text anywhere. The director `***=` tells PostgreSQL that the
 * rest is plain text and no pattern (manual, section 9.7.3.4).
 */
const literalPattern = (text: unknown): string => `***=${text}`;

/** Adds the conditions of a `where` to a query. */
export function addWhere(
  query: URLSearchParams,
  { info }: Pick<TableContext, "info">,
  where: AnyWhere = {},
): void {
  for (const [column, wanted] of Object.entries(where)) {
    if (wanted === undefined) continue;
    // PostgREST reads it as all columns, however it is quoted.
    if (column === "*") throw refuse(column, 'PostgREST takes "*" for all columns');
    const { not, ...comparisons } = asComparisons(column, wanted);
    const name = quoteName(column);
    const kind = kindOf(info, column);
    // At the end of a parameter, PostgREST takes a value as it is, whatever its characters.
    for (const comparison of compare({ column, kind, write: String }, comparisons)) {
      query.append(name, comparison);
    }
    if (not === undefined) continue;
    const excluded = compare({ column, kind, write: quoteValue }, asComparisons(column, not));
    const terms = excluded.map((comparison) => `${name}.${comparison}`);
    if (terms.length > 0) query.append("not.and", `(${terms.join(",")})`);
  }
}

/** Adds a search: at least one of the columns contains the text. */
export function addSearch(query: URLSearchParams, text: string, columns: readonly string[]): void {
  const pattern = quote(literalPattern(text));
  const alternatives = columns.map((column) => `${quoteName(column)}.imatch.${pattern}`);
  query.append("or", `(${alternatives.join(",")})`);
}

/** A value stands for being equal to it. */
function asComparisons(column: string, wanted: unknown): AnyWhere {
  const isValue = typeof wanted !== "object" || wanted === null;
  if (isValue || Array.isArray(wanted) || wanted instanceof Date) return { eq: wanted };
  // Without this, a Set or an empty object would find all rows.
  if (Object.keys(wanted).length === 0) throw refuse(column, "No comparison");
  return wanted as AnyWhere;
}

function compare(compared: Compared, comparisons: AnyWhere): string[] {
  return Object.entries(comparisons)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => formatComparison(compared, name, value));
}

/** The comparisons that are an operator of PostgREST each, by another name where it has a short one. */
const operators = new Map([
  ..."eq neq gt gte lt lte like ilike match imatch".split(" ").map((name) => [name, name] as const),
  ["contains", "cs"],
  ["containedBy", "cd"],
  ["overlaps", "ov"],
  ["before", "sl"],
  ["after", "sr"],
  ["adjacent", "adj"],
]);

function formatComparison(compared: Compared, name: string, value: unknown): string {
  const { column, kind, write } = compared;
  if (value === null && name === "eq") return "is.null";
  if (value === null && name === "neq") return "not.is.null";
  if (name === "in" && Array.isArray(value)) return formatMembership(compared, value);
  if (name === "fullText") return formatSearch(compared, value);
  if (name === "contains" && kind === "text") return `imatch.${write(literalPattern(value))}`;
  if (name.endsWith("like") && String(value).includes("*")) {
    throw refuse(column, "PostgREST reads * as %; use match or imatch");
  }
  const operator = operators.get(name);
  if (operator !== undefined) return `${operator}.${write(formatValue(value, kind, column))}`;
  const known = [...operators.keys(), "in", "fullText", "not"].join(", ");
  throw refuse(column, `No comparison "${name}"; there are ${known}`);
}

/** A single value is compared: PostgREST takes a list of one empty text for an empty list. */
function formatMembership({ column, kind, write }: Compared, values: readonly unknown[]): string {
  const texts = [...new Set(values.map((value) => formatValue(value, kind, column)))];
  const [first = ""] = texts;
  return texts.length === 1 ? `eq.${write(first)}` : `in.(${texts.map(quoteValue).join(",")})`;
}

function formatSearch({ write }: Compared, value: unknown): string {
  if (typeof value === "string") return `wfts.${write(value)}`;
  const { query, config } = value as { query: string; config: string };
  return `wfts(${config}).${write(query)}`;
}

function refuse(column: string, problem: string): InvalidError {
  return refused("condition", `${problem} (in the condition on ${column}).`, column);
}
