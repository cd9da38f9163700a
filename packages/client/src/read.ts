import type { Page } from "./collection-types.ts";
import type { AnyRow, TableContext } from "./context.ts";
import type { Limits } from "./limits.ts";
import type { CallOptions } from "./options.ts";
import {
  addConditions,
  addEmbeds,
  addPage,
  createCursor,
  type ListQuery,
  ownerQuery,
  rowQuery,
} from "./query.ts";
import { parseCount, parseRows, throwNotFound } from "./rows.ts";
import type { Result } from "./transport.ts";

/** Options of a read, without the types of its table. */
type ReadQuery = ListQuery & CallOptions;

/** The total comes with the page: it tells the last page from one that the server cut short. */
const countHeader = { Prefer: "count=exact" };

/** Sends a GET. */
export function sendRead(
  { transport, table }: TableContext,
  query: URLSearchParams,
  limits: Limits,
  headers: Record<string, string> = {},
): Promise<Result> {
  return transport.send({
    method: "GET",
    path: `/${table}`,
    query,
    headers,
    idempotent: true,
    expectJson: true,
    limits,
  });
}

/**
 * Reads one row.
 *
 * @throws NotFoundError when the caller has no such row.
 */
export async function readOne(
  context: TableContext,
  id: string,
  options: Pick<ReadQuery, "with" | "signal"> = {},
): Promise<AnyRow> {
  const limits = context.transport.startLimits(options);
  const query = await rowQuery(context, id, limits);
  addEmbeds(query, options.with);
  const result = await sendRead(context, query, limits);
  return parseRows(result)[0] ?? throwNotFound(context.table, id, result);
}

/** Reads one page of a list. */
export async function readPage(
  context: TableContext,
  options: ReadQuery & { readonly limit?: number; readonly after?: string | undefined } = {},
): Promise<Page<AnyRow>> {
  const { limit = 50, after } = options;
  const result = await sendPage(context, options, limit, after, countHeader);
  const items = parseRows(result);
  // The count is of what is left from here on, this page included.
  const last = parseCount(result) > items.length ? items.at(-1) : undefined;
  return { items, next: last && createCursor(last, options, context.id) };
}

/** Reads a whole list, page by page. */
export async function* readAll(
  context: TableContext,
  options: ReadQuery & { readonly pageSize?: number } = {},
): AsyncGenerator<AnyRow, void, undefined> {
  const { pageSize = 200 } = options;
  let after: string | undefined;
  for (;;) {
    const items = parseRows(await sendPage(context, options, pageSize, after));
    const last = items.at(-1);
    // The server may have cut a short page: only an empty one is the end.
    if (last === undefined) return;
    yield* items;
    after = createCursor(last, options, context.id);
  }
}

/** Counts rows. */
export async function readCount(
  context: TableContext,
  options: Pick<ReadQuery, "where" | "search" | "signal"> = {},
): Promise<number> {
  const limits = context.transport.startLimits(options);
  const query = await ownerQuery(context, limits);
  addConditions(query, options);
  // Not HEAD: an error without a body could not say what was wrong.
  query.append("limit", "0");
  return parseCount(await sendRead(context, query, limits, countHeader));
}

async function sendPage(
  context: TableContext,
  options: ReadQuery,
  limit: number,
  after: string | undefined,
  headers?: Record<string, string>,
): Promise<Result> {
  const limits = context.transport.startLimits(options);
  const query = await ownerQuery(context, limits);
  addConditions(query, options);
  addEmbeds(query, options.with);
  addPage(query, options, context.id, { limit, after });
  return sendRead(context, query, limits, headers);
}
