import type { Collection } from "./collection-types.ts";
import { createContext, type TableContext } from "./context.ts";
import { createRow, createRows } from "./create.ts";
import type { ClientOptions } from "./options.ts";
import { countRows, readAll, readList, readRow } from "./read.ts";
import { createTransport, type Transport } from "./transport.ts";
import type { DatabaseTable, KeyedTable, TableInfos } from "./types.ts";
import { deleteRow, updateRow } from "./write.ts";

/**
 * An API, and what is known of its tables. Each function below makes one method of a table's
 * collection: an app that uses a few of them, and no client, bundles the code of those alone.
 */
export interface Connection<DB, T extends TableInfos> {
  readonly transport: Transport;
  readonly tables: T;
  /** For the types alone; never set. */
  readonly database?: DB;
}

/**
 * Connects to an API. It sends nothing until it is used.
 *
 * @param tables What the file written by `rowhouse types` exports beside the types.
 */
export function connect<DB, T extends TableInfos>(
  options: ClientOptions,
  tables: T,
): Connection<DB, T> {
  return { transport: createTransport(options), tables };
}

type CollectionOf<DB, T extends TableInfos, N extends KeyedTable<T>> = Collection<
  DatabaseTable<DB, T, N>
>;

/** One method of a table. The server's word is taken for the types of the rows. */
function bind<M>(
  { transport, tables }: Connection<unknown, TableInfos>,
  table: string,
  method: (context: TableContext, ...rest: never[]) => unknown,
): M {
  const context = createContext(transport, tables, table);
  return ((...rest: never[]) => method(context, ...rest)) as M;
}

/** Makes `create` of a table. @throws InvalidError for a name that is no table with a key. */
export function createMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["create"] {
  return bind(connection, table, createRow);
}

/** Makes `createMany` of a table. @throws InvalidError as `createMethod` does. */
export function createManyMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["createMany"] {
  return bind(connection, table, createRows);
}

/** Makes `get` of a table. @throws InvalidError as `createMethod` does. */
export function getMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["get"] {
  return bind(connection, table, readRow);
}

/** Makes `list` of a table. @throws InvalidError as `createMethod` does. */
export function listMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["list"] {
  return bind(connection, table, readList);
}

/** Makes `all` of a table. @throws InvalidError as `createMethod` does. */
export function allMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["all"] {
  return bind(connection, table, readAll);
}

/** Makes `count` of a table. @throws InvalidError as `createMethod` does. */
export function countMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["count"] {
  return bind(connection, table, countRows);
}

/** Makes `update` of a table. @throws InvalidError as `createMethod` does. */
export function updateMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["update"] {
  return bind(connection, table, updateRow);
}

/** Makes `delete` of a table. @throws InvalidError as `createMethod` does. */
export function deleteMethod<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): CollectionOf<DB, T, N>["delete"] {
  return bind(connection, table, deleteRow);
}
