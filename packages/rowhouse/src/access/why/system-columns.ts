import type pg from "pg";
import type { SystemColumn, SystemColumns } from "../model/evaluate.ts";
import type { Relation } from "../model/model.ts";
import { sqlName } from "../model/names.ts";

/** The system columns by which a row is found again within the transaction. */
export type Place = Required<Pick<SystemColumns, "ctid" | "tableoid">>;

/** The system columns of a row that is there. */
export async function findSystemColumns(
  client: pg.ClientBase,
  relation: Relation,
  place: Place | null,
  columns: readonly SystemColumn[],
): Promise<SystemColumns> {
  if (place === null) return {};
  const { rows } = await client.query<SystemColumns>(
    `select ${columns.map((column) => `${column}::text`).join(", ")}
      from ${sqlName(relation)} where tableoid = $1 and ctid = $2`,
    [place.tableoid, place.ctid],
  );
  return rows[0] ?? {};
}

/** What a row has for its ctid while policies are checked, before it is written. */
const ctidOfNewRow = "(4294967295,0)";

/**
 * The system columns that policies find in a row which is yet to be written, as an insert or update
 * leaves it (tried on PostgreSQL 15 to 18). The other ones are what happens to be in memory, or an error.
 *
 * @param place That of the row before an update; null for a new row.
 */
export async function findNewSystemColumns(
  client: pg.ClientBase,
  relation: Relation,
  place: Place | null,
): Promise<SystemColumns> {
  // In a partitioned table it is that of the partition, which the row's values choose.
  const { rows } = await client.query<{ tableoid: string }>(
    "select oid::text as tableoid from pg_class where oid = $1::regclass and relkind <> 'p'",
    [sqlName(relation)],
  );
  const [table] = rows;
  return { ctid: ctidOfNewRow, ...(table && { tableoid: place?.tableoid ?? table.tableoid }) };
}
