import { refused } from "./errors.ts";
import type { Transport } from "./transport.ts";
import type { TableInfo, TableInfos } from "./types.ts";

/** What the functions about one table share. */
export interface TableContext {
  readonly transport: Transport;
  readonly table: string;
  readonly info: TableInfo;
  /** All tables: rows of others can be embedded. */
  readonly tables: TableInfos;
}

/** A row, without its types: the server's word for them is taken. */
export type AnyRow = Record<string, unknown>;

/**
 * The context of a table.
 *
 * @throws InvalidError for a name that is no table with a key.
 */
export function createContext(
  transport: Transport,
  tables: TableInfos,
  table: string,
): TableContext {
  const info = Object.hasOwn(tables, table) ? tables[table] : undefined;
  if (info !== undefined && info.key.length > 0) return { transport, table, info, tables };
  const names = keyedTables(tables).join(", ");
  throw refused(
    "unknown_table",
    `Unknown collection "${table}". There are: ${names}. After a change, run \`rowhouse types\`.`,
  );
}

/** The names of the tables with a key. */
export function keyedTables(tables: TableInfos): string[] {
  return Object.keys(tables).filter((name) => tables[name]?.key.length);
}

/** The columns of a table's key, the one that names the owner last: ids tell the age of rows. */
export function orderedKey({ key, owner }: TableInfo): string[] {
  return [...key.filter((column) => column !== owner), ...key.filter((column) => column === owner)];
}
