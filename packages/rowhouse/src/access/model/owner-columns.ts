import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";

/** The columns that hold the user whose row it is: the oids of tables, and the number of each one's column. */
export interface OwnerColumns {
  readonly relations: readonly number[];
  readonly numbers: readonly number[];
}

const query = readFileSync(join(import.meta.dirname, "owner_columns.sql"), "utf8");

/** Finds the column of each table and view that holds the user whose row it is. */
export async function readOwnerColumns(
  client: pg.ClientBase,
  { usersTable }: Pick<ApiNames, "usersTable">,
): Promise<OwnerColumns> {
  const { rows } = await client.query<{ relation: number; number: number }>(query, [
    usersTable ?? null,
  ]);
  return {
    relations: rows.map(({ relation }) => relation),
    numbers: rows.map(({ number }) => number),
  };
}
