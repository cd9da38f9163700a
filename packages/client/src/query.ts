import type { AnyRow, TableContext } from "./context.ts";
import { InvalidError, unsent } from "./errors.ts";
import { addSearch, addWhere, quote } from "./filter.ts";
import type { Limits } from "./limits.ts";

/** What a list asks for, without the types of its table. */
export interface ListQuery {
  readonly where?: Record<string, unknown>;
  readonly search?: { readonly text: string; readonly in: readonly string[] };
  readonly sort?: { readonly by: string; readonly order?: "asc" | "desc" };
  readonly with?: readonly string[];
}

/**
 * The rows of the caller. Row-level security protects them without this filter; with it, the index
 * that begins with the owner is used.
 */
export async function ownerQuery(
  { transport, owner }: TableContext,
  limits: Limits,
): Promise<URLSearchParams> {
  const user = await transport.getSubject(limits);
  return new URLSearchParams(user === undefined ? [] : [[owner, `eq.${user}`]]);
}

/** One row of the caller, by its id. */
export async function rowQuery(
  context: TableContext,
  id: string,
  limits: Limits,
): Promise<URLSearchParams> {
  const query = await ownerQuery(context, limits);
  query.append(context.id, `eq.${id}`);
  return query;
}

/** Adds the conditions of a list. */
export function addConditions(query: URLSearchParams, { where, search }: ListQuery): void {
  addWhere(query, where);
  if (search) addSearch(query, search.text, search.in);
}

/** Adds the tables whose rows are embedded. */
export function addEmbeds(query: URLSearchParams, tables: readonly string[] = []): void {
  if (tables.length === 0) return;
  query.append("select", ["*", ...tables.map((table) => `${table}(*)`)].join(","));
}

/**
 * Adds order, size and start of a page.
 *
 * @throws InvalidError when the size is no positive integer, or `after` is no cursor of this list.
 */
export function addPage(
  query: URLSearchParams,
  list: ListQuery,
  idColumn: string,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): void {
  const { column, direction } = resolveSort(list, idColumn);
  const byId = `${idColumn}.${direction}`;
  query.append("order", column === idColumn ? byId : `${column}.${direction},${byId}`);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new InvalidError("The page size must be a positive integer.", unsent("limit"));
  }
  query.append("limit", String(limit));
  if (after !== undefined) addAfter(query, list, idColumn, after);
}

/** The cursor of the next page, which starts behind the last row of this one. */
export function createCursor(last: AnyRow, list: ListQuery, idColumn: string): string {
  const { column } = resolveSort(list, idColumn);
  return JSON.stringify([column, last[idColumn], column === idColumn ? null : last[column]]);
}

function addAfter(query: URLSearchParams, list: ListQuery, idColumn: string, after: string): void {
  const { column, direction } = resolveSort(list, idColumn);
  const { id, value } = parseCursor(after, column);
  const beyond = direction === "asc" ? "gt" : "lt";
  if (column === idColumn) {
    query.append(idColumn, `${beyond}.${id}`);
    return;
  }
  const [lastValue, lastId] = [quote(value), quote(id)];
  const sameValue = `and(${column}.eq.${lastValue},${idColumn}.${beyond}.${lastId})`;
  query.append("or", `(${column}.${beyond}.${lastValue},${sameValue})`);
}

/** Newest first by default; another column is ascending by default. */
function resolveSort(
  { sort }: ListQuery,
  idColumn: string,
): { column: string; direction: "asc" | "desc" } {
  const column = sort?.by ?? idColumn;
  return { column, direction: sort?.order ?? (column === idColumn ? "desc" : "asc") };
}

function parseCursor(after: string, column: string): { id: string; value: unknown } {
  try {
    const [sorted, id, value]: unknown[] = JSON.parse(after);
    if (sorted === column && typeof id === "string") return { id, value };
  } catch {
    // Handled below, as anything else that is no cursor of this list.
  }
  throw new InvalidError(
    '"after" is not from this list. Pass the "next" of its previous page.',
    unsent("cursor"),
  );
}
