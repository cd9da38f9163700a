import type { AnyRow, TableContext } from "./context.ts";
import { refused } from "./errors.ts";
import { addKeys, identify, maxKeys } from "./key.ts";
import type { Limits } from "./limits.ts";
import { quoteName } from "./names.ts";
import { addOrder, createCursor, type Order } from "./order.ts";
import { type Rows, readRows } from "./rows.ts";
import { type AnyWith, addSelect } from "./select.ts";

/** What a page is part of. */
export interface List {
  readonly context: TableContext;
  /** Together they ask for the rows of the list. */
  readonly queries: readonly URLSearchParams[];
  readonly order: Order;
  readonly embeds: AnyWith | undefined;
  readonly limits: Limits;
}

/** The most rows in a page of several queries: two parts of it, and a row more each, are sorted at once. */
const maxMergedRows = maxKeys / 2 - 1;

/**
 * Reads one page of a list.
 *
 * @param limit The most rows in it.
 * @param after The cursor where it starts.
 * @returns Its rows, and the cursor of the next page; undefined when this is the last.
 * @throws InvalidError when the limit is no positive integer.
 */
export async function readPage(
  list: List,
  limit: number,
  after: string | undefined,
): Promise<{ items: AnyRow[]; next: string | undefined }> {
  if (!Number.isInteger(limit) || limit < 1) {
    throw refused("limit", "The page size must be a positive integer.");
  }
  const [query, second] = list.queries;
  if (query === undefined || second !== undefined) return readMergedPage(list, limit, after);
  // One row more than asked for tells whether there is a next page; counting would take far longer.
  const part = await readPart(list, query, limit + 1, after);
  const hasNext = part.rows.length > limit || (await isCut(list, query, part));
  return createPage(list, part.rows.slice(0, limit), hasNext, after, part);
}

function createPage(
  { order }: List,
  items: AnyRow[],
  hasNext: boolean,
  after: string | undefined,
  response: Rows,
): { items: AnyRow[]; next: string | undefined } {
  const last = items.at(-1);
  const next = last && createCursor(order, last, after, response);
  return { items, next: hasNext ? next : undefined };
}

/** Whether rows follow a part that is shorter than asked for: the server may have cut it. */
async function isCut(list: List, query: URLSearchParams, part: Rows): Promise<boolean> {
  const last = part.rows.at(-1);
  // The server has sent more rows than that at once: it did not cut these.
  if (last === undefined || part.rows.length < list.context.transport.pages.largest) return false;
  const next = createCursor(list.order, last, undefined, part);
  return (await readPart(list, query, 1, next)).rows.length > 0;
}

/** Reads the first rows of one query of a list, behind a cursor. */
async function readPart(
  { context, order, embeds, limits }: List,
  conditions: URLSearchParams,
  limit: number,
  after: string | undefined,
): Promise<Rows> {
  const query = new URLSearchParams(conditions);
  addSelect(query, context, embeds);
  addOrder(query, order, after);
  query.append("limit", String(limit));
  const result = await readRows(context, query, limits);
  const { pages } = context.transport;
  pages.largest = Math.max(pages.largest, result.rows.length);
  return result;
}

/**
 * Reads a page of a list that takes several queries: the first rows of each, in one order. Behind the
 * last row of a part that goes on, its own next rows may come: there the page ends.
 */
async function readMergedPage(
  list: List,
  limit: number,
  after: string | undefined,
): Promise<{ items: AnyRow[]; next: string | undefined }> {
  const { context, queries } = list;
  const size = Math.min(limit, maxMergedRows);
  const parts: [URLSearchParams, Rows][] = [];
  for (const query of queries) parts.push([query, await readPart(list, query, size + 1, after)]);
  let merged: AnyRow[] = [];
  for (const [, { rows }] of parts) merged = (await merge(list, merged, rows)).slice(0, size + 1);
  const places = new Map(merged.map((row, at) => [identify(context, row), at]));
  let end = size;
  let hasNext = merged.length > size;
  for (const [query, part] of parts) {
    if (part.rows.length <= size && !(await isCut(list, query, part))) continue;
    hasNext = true;
    const ends = part.rows.map((row) => (places.get(identify(context, row)) ?? -1) + 1);
    end = Math.min(end, Math.max(...ends) || size);
  }
  const items = merged.slice(0, end);
  hasNext ||= items.length < places.size;
  // All rows were deleted while they were sorted.
  if (hasNext && items.length === 0) return readMergedPage(list, limit, after);
  const [[, response]] = parts as [[URLSearchParams, Rows]];
  return createPage(list, items, hasNext, after, response);
}

/** Two sorted parts as one. PostgreSQL sorts them: JavaScript does not know its collations. */
async function merge(
  { context, order, limits }: List,
  some: readonly AnyRow[],
  others: readonly AnyRow[],
): Promise<AnyRow[]> {
  const rows = new Map([...some, ...others].map((row) => [identify(context, row), row]));
  if (some.length === 0 || others.length === 0) return [...rows.values()];
  const query = new URLSearchParams();
  addKeys(query, context, [...rows.values()]);
  query.append("select", context.info.key.map(quoteName).join(","));
  query.append("order", order.text);
  const sorted = await readRows(context, query, limits);
  return sorted.rows
    .map((key) => rows.get(identify(context, key)))
    .filter((row) => row !== undefined);
}
