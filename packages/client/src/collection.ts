import type { Collection } from "./collection-types.ts";
import {
  allMethod,
  type Connection,
  countMethod,
  createManyMethod,
  createMethod,
  deleteMethod,
  getMethod,
  listMethod,
  updateMethod,
} from "./methods.ts";
import type { DatabaseTable, KeyedTable, TableInfos } from "./types.ts";

/**
 * Makes the collection of a table.
 *
 * @throws InvalidError for a name that is no table with a key.
 */
export function createCollection<DB, T extends TableInfos, N extends KeyedTable<T>>(
  connection: Connection<DB, T>,
  table: N,
): Collection<DatabaseTable<DB, T, N>> {
  return {
    create: createMethod(connection, table),
    createMany: createManyMethod(connection, table),
    get: getMethod(connection, table),
    list: listMethod(connection, table),
    all: allMethod(connection, table),
    count: countMethod(connection, table),
    update: updateMethod(connection, table),
    delete: deleteMethod(connection, table),
  };
}
