import { ConflictError, InvalidError, StaleError, unsent } from "./errors.ts";
import { addWhere } from "./filter.ts";
import type { Limits } from "./limits.ts";
import { addConditions, addEmbeds, addPage, cursorAfter, ownedBy, rowOf } from "./query.ts";
import { countOf, holds, inOrder, rowsOf, throwNotFound } from "./rows.ts";
import type { GetOptions, ReadOptions, Table, WriteOptions } from "./table.ts";
import type { Transport } from "./transport.ts";
import type { Embed, Embedded, OwnedTable, Row } from "./types.ts";
import { uuidv7 } from "./uuid.ts";

/** The most ids that are asked for in one request: an address must not grow too long. */
const idsAtOnce = 100;

/** Makes the collection of a table. */
export function createCollection<T extends OwnedTable>(transport: Transport, name: T): Table<T> {
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
      if (Object.values(patch).every((value) => value === undefined)) {
        const message = "The change is empty. Name at least one column.";
        throw new InvalidError(message, unsent("empty_patch"));
      }
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
