import type { AllOptions, Collection, GetOptions, ListOptions, Page } from "./collection-types.ts";
import type { AnyRow, TableContext } from "./context.ts";
import { createRows } from "./create.ts";
import { readAll, readCount, readOne, readPage } from "./read.ts";
import type { Transport } from "./transport.ts";
import type { TableInfo } from "./types.ts";
import { deleteRow, updateRow } from "./write.ts";

/** The types of any table. */
interface AnyTable {
  readonly Row: AnyRow;
  readonly New: AnyRow;
  readonly Patch: AnyRow;
  readonly Embeds: Record<string, AnyRow>;
}

/** The methods of a collection, without the types of embedded rows. */
interface Methods extends Omit<Collection<AnyTable>, "get" | "list" | "all"> {
  readonly get: (id: string, options?: GetOptions<AnyTable, string>) => Promise<AnyRow>;
  readonly list: (options?: ListOptions<AnyTable, string>) => Promise<Page<AnyRow>>;
  readonly all: (options?: AllOptions<AnyTable, string>) => AsyncGenerator<AnyRow, void, undefined>;
}

/**
 * Makes the collection of an owned table.
 *
 * @param owner The table's owner column. With one more column, it is the primary key.
 */
export function createCollection(
  transport: Transport,
  table: string,
  { key }: Pick<TableInfo, "key">,
  owner: string,
): Collection<AnyTable> {
  const id = key.find((column) => column !== owner) ?? "id";
  const context: TableContext = { transport, table, owner, id };
  const collection: Methods = {
    create: async (row, options) => {
      const [created] = await createRows(context, [row], options);
      return created as AnyRow;
    },
    createMany: (rows, options) => createRows(context, rows, options),
    get: (id, options) => readOne(context, id, options),
    list: (options) => readPage(context, options),
    all: (options) => readAll(context, options),
    count: (options) => readCount(context, options),
    update: (id, patch, options) => updateRow(context, id, patch, options),
    delete: (id, options) => deleteRow(context, id, options),
  };
  return collection as Collection<AnyTable>;
}
