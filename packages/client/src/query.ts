import type { TableContext } from "./context.ts";
import { refused, TooLargeError, unsent } from "./errors.ts";
import { type AnyWhere, addSearch, addWhere } from "./filter.ts";
import type { Limits } from "./limits.ts";
import { formatQuery, quoteName } from "./names.ts";
import { formatValue } from "./values.ts";

/** Which rows are asked for, without the types of their table. */
export interface Conditions {
  readonly where?: AnyWhere;
  readonly search?: { readonly text: string; readonly in: readonly string[] };
  readonly mine?: boolean;
}

/**
 * The most bytes of conditions in one request. Node.js takes 16 kB of headers in a response, and
 * PostgREST repeats the address in them; common proxies take lines of 8 kB.
 */
const maxBytes = 6_000;

/** Whether the conditions of a query are too long for one request. */
export function isTooLong(query: URLSearchParams): boolean {
  return formatQuery(query).length > maxBytes;
}

/**
 * The queries that together ask for the rows that meet the conditions: one, unless a list in them is
 * so long that it must be split.
 *
 * @throws InvalidError for rows of the caller in a table without owners; TooLargeError when the
 *   conditions are too long and no list in them can be split.
 */
export async function createQueries(
  context: TableContext,
  conditions: Conditions,
  limits: Limits,
): Promise<URLSearchParams[]> {
  const owner = conditions.mine ? await ownerCondition(context, limits) : [];
  return splitWhere(conditions.where ?? {}, (where) => {
    const query = new URLSearchParams(owner);
    addWhere(query, context, where);
    if (conditions.search) addSearch(query, conditions.search.text, conditions.search.in);
    return query;
  });
}

async function ownerCondition(
  { transport, table, info: { owner } }: TableContext,
  limits: Limits,
): Promise<string[][]> {
  if (owner === null) {
    throw refused("mine", `Rows of ${table} have no single owner. Leave "mine" out.`);
  }
  const user = await transport.getSubject(limits);
  return [[quoteName(owner), `eq.${user ?? ""}`]];
}

/** Halves the longest list until each query is short enough. */
function splitWhere(
  where: AnyWhere,
  createQuery: (where: AnyWhere) => URLSearchParams,
): URLSearchParams[] {
  const query = createQuery(where);
  if (!isTooLong(query)) return [query];
  const [column, values] = findLongestList(where);
  if (column === undefined || values.length < 2) {
    throw new TooLargeError(
      "The conditions are too long. Send less.",
      unsent("conditions_too_long"),
    );
  }
  const middle = Math.ceil(values.length / 2);
  return [values.slice(0, middle), values.slice(middle)].flatMap((half) =>
    splitWhere({ ...where, [column]: { ...Object(where[column]), in: half } }, createQuery),
  );
}

function findLongestList(where: AnyWhere): [column: string | undefined, values: unknown[]] {
  const lists = Object.entries(where).map(([column, comparisons]): [string, unknown[]] => {
    const values: unknown = Object(comparisons).in;
    if (!Array.isArray(values)) return [column, []];
    // Equal values in two queries would find a row twice.
    const distinct = new Map(values.map((value) => [formatValue(value, "json", column), value]));
    return [column, [...distinct.values()]];
  });
  return lists.sort(([, one], [, other]) => other.length - one.length)[0] ?? [undefined, []];
}
