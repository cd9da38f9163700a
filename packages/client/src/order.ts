import { type AnyRow, orderedKey, type TableContext } from "./context.ts";
import { refused, UnavailableError } from "./errors.ts";
import { quote, quoteName } from "./names.ts";
import type { Result } from "./transport.ts";

/** One step of an order, without the types of its table. */
export interface AnySort {
  readonly by: string;
  readonly order?: "asc" | "desc";
  readonly nulls?: "first" | "last";
}

/** One step of an order that tells each row from each other. */
interface Term {
  readonly column: string;
  readonly direction: "asc" | "desc";
  readonly nulls: "first" | "last";
  readonly nullable: boolean;
}

/** The order of a list, which ends with the key: no two rows are equal in it. */
export interface Order {
  readonly terms: readonly Term[];
  /** As PostgREST takes it. */
  readonly text: string;
}

/**
 * The order of a list. Without a sort it is that of the key, descending, since the ids tell the time;
 * with one, rows that are equal in it follow each other by the key, in the direction of its last step.
 */
export function createOrder(
  { info }: Pick<TableContext, "info">,
  sort: AnySort | readonly AnySort[] = [],
): Order {
  const steps = [sort].flat();
  const last = steps.at(-1);
  const rest = last === undefined ? "desc" : (last.order ?? directionOf(last.by, info.key));
  const byKey = orderedKey(info).map((by) => ({ by, order: rest }));
  const all: AnySort[] = [...steps, ...byKey];
  const terms = all
    .filter(({ by }, at) => all.findIndex((other) => other.by === by) === at)
    .map(({ by, order = directionOf(by, info.key), nulls }): Term => {
      return {
        column: by,
        direction: order,
        nulls: nulls ?? (order === "asc" ? "last" : "first"),
        nullable: info.nullable.includes(by),
      };
    });
  return { terms, text: terms.map(formatTerm).join(",") };
}

/** Newest first by the key; another column is ascending. */
function directionOf(column: string, key: readonly string[]): "asc" | "desc" {
  return key.includes(column) ? "desc" : "asc";
}

function formatTerm({ column, direction, nulls, nullable }: Term): string {
  return `${quoteName(column)}.${direction}${nullable ? `.nulls${nulls}` : ""}`;
}

/**
 * The cursor of the next page, which starts behind the last row of this one.
 *
 * @param after The cursor of this page.
 * @throws UnavailableError when the page does not advance: it would come again and again.
 */
export function createCursor(
  { terms, text }: Order,
  last: AnyRow,
  after: string | undefined,
  { status, requestId }: Pick<Result, "status" | "requestId">,
): string {
  const cursor = JSON.stringify([text, ...terms.map(({ column }) => last[column])]);
  if (cursor !== after) return cursor;
  const message = "The page ends where the one before it did. Look for a cache.";
  throw new UnavailableError(message, { status, requestId, code: "no_advance" });
}

/**
 * Adds the order to a query, and where in it the page starts.
 *
 * @throws InvalidError when `after` is no cursor of this order.
 */
export function addOrder(query: URLSearchParams, order: Order, after: string | undefined): void {
  query.append("order", order.text);
  if (after === undefined) return;
  const values = parseCursor(order, after);
  if (order.terms.length === 1 && !order.terms[0]?.nullable) {
    addBound(query, order, values, { asc: "gt", desc: "lt" });
    return;
  }
  query.append("or", `(${formatBeyond(order.terms, values).join(",")})`);
  addBound(query, order, values, { asc: "gte", desc: "lte" });
}

/** The alternatives, one of which holds for each row beyond these values. */
function formatBeyond(terms: readonly Term[], values: readonly unknown[]): string[] {
  const [term, ...following] = terms;
  const [value = null, ...rest] = values;
  if (term === undefined) return [];
  const further = formatBeyond(following, rest);
  const equal = value === null ? "is.null" : `eq.${quote(String(value))}`;
  return [
    ...formatStrictlyBeyond(term, value),
    ...(further.length === 0 ? [] : [`and(${quoteName(term.column)}.${equal},${either(further)})`]),
  ];
}

function formatStrictlyBeyond(term: Term, value: unknown): string[] {
  const name = quoteName(term.column);
  if (value === null) return term.nulls === "first" ? [`${name}.not.is.null`] : [];
  const beyond = `${name}.${term.direction === "asc" ? "gt" : "lt"}.${quote(String(value))}`;
  return term.nullable && term.nulls === "last" ? [beyond, `${name}.is.null`] : [beyond];
}

function either(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? `${alternatives[0]}` : `or(${alternatives.join(",")})`;
}

/**
 * A comparison with the first column alone, where one can say it: an index answers that, and not the
 * alternatives.
 */
function addBound(
  query: URLSearchParams,
  { terms }: Order,
  [value]: readonly unknown[],
  operators: Readonly<Record<Term["direction"], string>>,
): void {
  const [first] = terms;
  if (first === undefined || value === undefined || value === null) return;
  if (first.nullable && first.nulls === "last") return;
  query.append(quoteName(first.column), `${operators[first.direction]}.${value}`);
}

function parseCursor({ terms, text }: Order, after: string): unknown[] {
  try {
    const [order, ...values]: unknown[] = JSON.parse(after);
    if (order === text && values.length === terms.length) return values;
  } catch {
    // Handled below, as anything else that is no cursor of this list.
  }
  throw refused("cursor", '"after" is not from this list. Pass "next" of the page before.');
}
