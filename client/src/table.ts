import {
  ConflictError,
  InvalidError,
  NotFoundError,
  StaleError,
  UnavailableError,
} from "./errors.ts";
import { addWhere } from "./filter.ts";
import type { Limits } from "./limits.ts";
import { addConditions, addEmbeds, addPage, cursorAfter, ownedBy, rowOf } from "./query.ts";
import type { CallOptions, Reply, Transport } from "./transport.ts";
import type {
  Embed,
  Embedded,
  NewRow,
  OwnedTable,
  Patch,
  Row,
  SortColumn,
  TextColumn,
  Where,
} from "./types.ts";
import { uuidv7 } from "./uuid.ts";

/** Which rows, in which order, and what comes along. */
export interface ReadOptions<T extends OwnedTable, E extends Embed<T> = never> extends CallOptions {
  /** Conditions that rows must meet. */
  readonly where?: Where<T>;
  /** A text that at least one of the columns must hold, in upper or lower case. */
  readonly search?: { readonly text: string; readonly in: readonly TextColumn<T>[] };
  /** The order; newest first unless told otherwise. */
  readonly sort?: { readonly by: SortColumn<T>; readonly order?: "asc" | "desc" };
  /** Tables whose rows come along, in the same request. */
  readonly with?: readonly E[];
}

/** Options of `get`. */
export type GetOptions<T extends OwnedTable, E extends Embed<T> = never> = Pick<
  ReadOptions<T, E>,
  "with" | "signal"
>;

/** Options of `list`. */
export interface ListOptions<T extends OwnedTable, E extends Embed<T> = never>
  extends ReadOptions<T, E> {
  /** The most rows that the page holds. Default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** Part of a list. */
export interface Page<R> {
  readonly items: R[];
  /** Give it as `after` to get the next page; undefined when this is the last. */
  readonly next: string | undefined;
}

/** Options of `update` and `delete`. */
export interface WriteOptions extends CallOptions {
  /** `updated_at` as it was read: the write throws StaleError if the row has changed since. */
  readonly ifMatch?: string;
}

/** The user's own rows of one table. All methods throw RowhouseError, by its classes. */
export interface Table<T extends OwnedTable> {
  /**
   * Creates a row. It may be sent again: the id is made here, so whatever the network does, it is
   * one row.
   *
   * @returns The row as the database has it.
   * @throws ConflictError when the id given is taken; InvalidError when a rule is broken.
   */
  create(row: NewRow<T>, options?: CallOptions): Promise<Row<T>>;
  /** Creates several rows, all or none. They come back in the order given. */
  createMany(rows: readonly NewRow<T>[], options?: CallOptions): Promise<Row<T>[]>;
  /** @throws NotFoundError when there is no such row among the user's. */
  get<E extends Embed<T> = never>(id: string, options?: GetOptions<T, E>): Promise<Embedded<T, E>>;
  /** One page of the list: newest first, unless sorted otherwise. */
  list<E extends Embed<T> = never>(options?: ListOptions<T, E>): Promise<Page<Embedded<T, E>>>;
  /** The whole list, a row at a time; pages are fetched as they are needed. */
  all<E extends Embed<T> = never>(
    options?: ReadOptions<T, E> & { readonly pageSize?: number },
  ): AsyncGenerator<Embedded<T, E>, void, undefined>;
  /** How many rows meet the conditions. */
  count(options?: Pick<ReadOptions<T>, "where" | "search" | "signal">): Promise<number>;
  /**
   * Changes a row. It is never sent again by itself: someone else's change could lie between.
   *
   * @returns The row as it is now.
   * @throws NotFoundError when there is no such row; StaleError, with the current row, when
   *   `ifMatch` is given and someone was faster.
   */
  update(id: string, patch: Patch<T>, options?: WriteOptions): Promise<Row<T>>;
  /** @throws NotFoundError, StaleError as `update` does. */
  delete(id: string, options?: WriteOptions): Promise<void>;
}

/** The most ids that are asked for in one request: an address must not grow too long. */
const idsAtOnce = 100;

/** Makes the collection of a table. */
export function createTable<T extends OwnedTable>(transport: Transport, name: T): Table<T> {
  const path = `/${name}`;

  const read = async <R>(query: URLSearchParams, limits: Limits, headers = {}) =>
    rowsOf<R>(
      await transport.send({
        method: "GET",
        safe: true,
        json: true,
        path,
        query,
        headers,
        limits,
      }),
    );

  /** @throws ConflictError also when an earlier sending of the same rows has arrived. */
  const insert = async (body: object[], limits: Limits): Promise<Row<T>[]> => {
    const columns = [...new Set(body.flatMap((row) => Object.keys(row)))].join(",");
    // A column that one row leaves out, and another has, takes its default.
    const headers = { Prefer: "return=representation, missing=default" };
    const query = new URLSearchParams({ columns });
    const call = {
      method: "POST",
      path,
      query,
      headers,
      body,
      safe: true,
      json: true,
      limits,
    };
    return rowsOf<Row<T>>(await transport.send(call)).items;
  };

  const readMany = async (ids: readonly string[], limits: Limits): Promise<Row<T>[]> => {
    const rows: Row<T>[] = [];
    let missing = ids;
    while (missing.length > 0) {
      const query = ownedBy(await transport.subject(limits));
      addWhere(query, { id: { in: missing.slice(0, idsAtOnce) } });
      const { items } = await read<Row<T>>(query, limits);
      if (items.length === 0) break;
      rows.push(...items);
      const found = new Set(items.map(({ id }) => id));
      missing = missing.filter((id) => !found.has(id));
    }
    return rows;
  };

  const createMany: Table<T>["createMany"] = async (rows, options = {}) => {
    if (rows.length === 0) return [];
    const limits = transport.begin(options);
    const me = await transport.subject(limits);
    const owner = me === undefined ? {} : { user_id: me };
    const body = rows.map((row) => ({ ...row, id: row.id ?? uuidv7(), ...owner }));
    const ids = body.map(({ id }) => id);
    try {
      return inOrder(await insert(body, limits), ids);
    } catch (error) {
      if (!(error instanceof ConflictError && error.uncertain)) throw error;
      const arrived = inOrder(await readMany(ids, limits), ids);
      // Only an id that was given, and not made here, can have been another row's before.
      const ours = arrived.every((row, at) => rows[at]?.id === undefined || holds(row, rows[at]));
      if (!ours || arrived.length < ids.length) throw error;
      return arrived;
    }
  };

  /** Sends a write to one row; a refused If-Match becomes StaleError with the row as it is. */
  const write = async (method: string, id: string, options: WriteOptions, body?: object) => {
    const limits = transport.begin(options);
    const query = rowOf(await transport.subject(limits), id);
    const prefer = { Prefer: "return=representation" };
    const headers =
      options.ifMatch === undefined ? prefer : { ...prefer, "If-Match": `"${options.ifMatch}"` };
    const call = { method, path, query, headers, body, safe: method === "DELETE", json: true };
    try {
      return rowsOf<Row<T>>(await transport.send({ ...call, limits }));
    } catch (error) {
      if (!(error instanceof StaleError)) throw error;
      // What is known already must not be lost when the row cannot be read.
      const now = await read<Row<T>>(query, limits).catch(() => undefined);
      throw new StaleError(error.message, error, now?.items[0]);
    }
  };

  const readPage = async <E extends Embed<T>>(
    options: ReadOptions<T, E>,
    limit: number,
    after: string | undefined,
    headers = {},
  ) => {
    const limits = transport.begin(options);
    const query = ownedBy(await transport.subject(limits));
    addConditions(query, options);
    addEmbeds(query, options.with);
    addPage(query, options, limit, after);
    return read<Embedded<T, E>>(query, limits, headers);
  };

  return {
    create: async (row, options) => {
      const [created] = await createMany([row], options);
      return created as Row<T>;
    },

    createMany,

    get: async <E extends Embed<T>>(id: string, options: GetOptions<T, E> = {}) => {
      const limits = transport.begin(options);
      const query = rowOf(await transport.subject(limits), id);
      addEmbeds(query, options.with);
      const { items, reply } = await read<Embedded<T, E>>(query, limits);
      return items[0] ?? throwNotFound(name, id, reply);
    },

    list: async (options = {}) => {
      // The count is of what is left from here on: it tells the last page from one that the
      // server has cut.
      const count = { Prefer: "count=exact" };
      const { items, reply } = await readPage(options, options.limit ?? 50, options.after, count);
      const last = countOf(reply) > items.length ? items.at(-1) : undefined;
      return { items, next: last && cursorAfter(last, options) };
    },

    async *all(options = {}) {
      let after: string | undefined;
      for (;;) {
        const { items } = await readPage(options, options.pageSize ?? 200, after);
        const last = items.at(-1);
        // A short page may have been cut by the server: only an empty one is the end.
        if (last === undefined) return;
        yield* items;
        after = cursorAfter(last, options);
      }
    },

    count: async (options = {}) => {
      const limits = transport.begin(options);
      const query = ownedBy(await transport.subject(limits));
      addConditions(query, options);
      // Not HEAD: an answer without a body could not say what was wrong.
      query.append("limit", "0");
      const { reply } = await read(query, limits, { Prefer: "count=exact" });
      return countOf(reply);
    },

    update: async (id, patch, options = {}) => {
      if (Object.values(patch).every((value) => value === undefined)) throw emptyPatch();
      const { items, reply } = await write("PATCH", id, options, patch);
      return items[0] ?? throwNotFound(name, id, reply);
    },

    delete: async (id, options = {}) => {
      const { items, reply } = await write("DELETE", id, options);
      // Gone at the second sending: the first one arrived, and its answer was lost.
      if (items.length === 0 && !reply.uncertain) throwNotFound(name, id, reply);
    },
  };
}

/** The rows of an answer. */
interface Rows<R> {
  readonly items: R[];
  readonly reply: Reply;
}

/** The server's word for its rows' types is taken: they are generated from the same database. */
function rowsOf<R>(reply: Reply): Rows<R> {
  return { items: reply.json as R[], reply };
}

function inOrder<R extends { id: string }>(rows: R[], ids: readonly string[]): R[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Whether a row has what was asked for: else the id was taken by another one before. */
function holds(row: object, wanted: object | undefined): boolean {
  return Object.entries(wanted ?? {}).every(
    ([column, value]) =>
      value === undefined || JSON.stringify(Reflect.get(row, column)) === JSON.stringify(value),
  );
}

/** The total behind the slash of Content-Range: "0-49/120" (RFC 9110, section 14.4). */
function countOf({ headers, status, requestId }: Reply): number {
  const total = headers.get("content-range")?.split("/")[1] ?? "";
  if (/^\d+$/.test(total)) return Number(total);
  throw new UnavailableError("The answer has no count: something in between took it out.", {
    status,
    code: "no_count",
    requestId,
  });
}

function emptyPatch(): InvalidError {
  const facts = { status: 0, code: "empty_patch", requestId: "" };
  return new InvalidError("The change is empty. Name at least one column.", facts);
}

function throwNotFound(table: string, id: string, { requestId }: Reply): never {
  throw new NotFoundError(`There is no row ${id} in ${table} that is yours. Check the id.`, {
    status: 404,
    code: "no_row",
    requestId,
  });
}
