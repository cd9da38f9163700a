import type { Page } from "./collection-types.ts";
import type { AnyRow, TableContext } from "./context.ts";
import type { AnyKey } from "./key.ts";
import { sendForOne } from "./one-row.ts";
import type { CallOptions } from "./options.ts";
import { type AnySort, createOrder } from "./order.ts";
import { type List, readPage } from "./page.ts";
import { type Conditions, createQueries } from "./query.ts";
import { parseCount, sendCall } from "./rows.ts";
import type { AnyWith } from "./select.ts";

/** Options of a list, without the types of its table. */
export interface AnyListOptions extends Conditions, CallOptions {
  readonly sort?: AnySort | readonly AnySort[];
  readonly with?: AnyWith;
}

/**
 * Reads one row.
 *
 * @throws NotFoundError when the caller reaches no such row; ConflictError when an id names several.
 */
export async function readRow(
  context: TableContext,
  key: AnyKey,
  options: Pick<AnyListOptions, "with" | "signal"> = {},
): Promise<AnyRow> {
  const limits = context.transport.startLimits(options);
  return sendForOne(context, key, { limits }, options.with);
}

/** Reads one page of a list. */
export async function readList(
  context: TableContext,
  options: AnyListOptions & {
    readonly limit?: number;
    readonly after?: string | undefined;
    readonly count?: boolean;
  } = {},
): Promise<Page<AnyRow>> {
  const list = await startList(context, options);
  const [page, total] = await Promise.all([
    readPage(list, options.limit ?? 50, options.after),
    options.count ? sumCounts(list) : undefined,
  ]);
  return total === undefined ? page : { ...page, total };
}

/** Reads a whole list, page by page. */
export async function* readAll(
  context: TableContext,
  options: AnyListOptions & { readonly pageSize?: number } = {},
): AsyncGenerator<AnyRow, void, undefined> {
  let after: string | undefined;
  do {
    const list = await startList(context, options);
    const { items, next } = await readPage(list, options.pageSize ?? 200, after);
    yield* items;
    after = next;
  } while (after !== undefined);
}

/** Counts rows. */
export async function countRows(
  context: TableContext,
  options: Conditions & CallOptions = {},
): Promise<number> {
  return sumCounts(await startList(context, options));
}

async function startList(context: TableContext, options: AnyListOptions): Promise<List> {
  const limits = context.transport.startLimits(options);
  return {
    context,
    queries: await createQueries(context, options, limits),
    order: createOrder(context, options.sort),
    embeds: options.with,
    limits,
  };
}

async function sumCounts({ context, queries, limits }: List): Promise<number> {
  let sum = 0;
  for (const conditions of queries) {
    const query = new URLSearchParams(conditions);
    // Not HEAD: an error without a body could not say what was wrong.
    query.append("limit", "0");
    const headers = { Prefer: "count=exact" };
    sum += parseCount(await sendCall(context, { query, headers, limits }));
  }
  return sum;
}
