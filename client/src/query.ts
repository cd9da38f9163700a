import { InvalidError, unsent } from "./errors.ts";
import { addSearch, addWhere, quoted } from "./filter.ts";

/** What a list asks for, without the types of its table. */
export interface ListQuery {
  readonly where?: Record<string, unknown>;
  readonly search?: { readonly text: string; readonly in: readonly string[] };
  readonly sort?: { readonly by: string; readonly order?: "asc" | "desc" };
  readonly with?: readonly string[];
}

/**
 * The rows of one user. Every request names their owner: row-level security is the wall, this is
 * the address.
 */
export function ownedBy(me: string | undefined): URLSearchParams {
  return new URLSearchParams(me === undefined ? [] : [["user_id", `eq.${me}`]]);
}

/** One row of a user, by its id. */
export function rowOf(me: string | undefined, id: string): URLSearchParams {
  const query = ownedBy(me);
  query.append("id", `eq.${id}`);
  return query;
}

/** Adds the conditions of a list. */
export function addConditions(query: URLSearchParams, { where, search }: ListQuery): void {
  addWhere(query, where);
  if (search) addSearch(query, search.text, search.in);
}

/** Adds the tables that come along. */
export function addEmbeds(query: URLSearchParams, embeds: readonly string[] = []): void {
  if (embeds.length === 0) return;
  query.append("select", ["*", ...embeds.map((table) => `${table}(*)`)].join(","));
}

/** Adds order, size and beginning of a page. */
export function addPage(
  query: URLSearchParams,
  list: ListQuery,
  limit: number,
  after: string | undefined,
): void {
  const { column, direction } = sortOf(list);
  const byId = `id.${direction}`;
  query.append("order", column === "id" ? byId : `${column}.${direction},${byId}`);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new InvalidError("The size of a page must be a whole number from 1.", unsent("limit"));
  }
  query.append("limit", String(limit));
  if (after !== undefined) addAfter(query, list, after);
}

/** Where the next page begins: behind the last row of this one. */
export function cursorAfter(last: { id: string }, list: ListQuery): string {
  const { column } = sortOf(list);
  return JSON.stringify([column, last.id, column === "id" ? null : Reflect.get(last, column)]);
}

function addAfter(query: URLSearchParams, list: ListQuery, after: string): void {
  const { column, direction } = sortOf(list);
  const [id, value] = parseCursor(after, column);
  const beyond = direction === "asc" ? "gt" : "lt";
  if (column === "id") {
    query.append("id", `${beyond}.${id}`);
    return;
  }
  const [at, here] = [quoted(value), quoted(id)];
  query.append("or", `(${column}.${beyond}.${at},and(${column}.eq.${at},id.${beyond}.${here}))`);
}

/** Newest first, unless sorted otherwise; another column goes upwards unless told otherwise. */
function sortOf({ sort }: ListQuery): { column: string; direction: "asc" | "desc" } {
  const column = sort?.by ?? "id";
  return { column, direction: sort?.order ?? (column === "id" ? "desc" : "asc") };
}

function parseCursor(after: string, column: string): [id: string, value: unknown] {
  try {
    const [sorted, id, value]: unknown[] = JSON.parse(after);
    if (sorted === column && typeof id === "string") return [id, value];
  } catch {
    // Handled below, as anything else that is no cursor of this list.
  }
  throw new InvalidError(
    'The "after" is no "next" of this list. Give it as the page before returned it.',
    unsent("cursor"),
  );
}
