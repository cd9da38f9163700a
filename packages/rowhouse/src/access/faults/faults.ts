import type pg from "pg";
import { makeRows } from "../../schema/proof/sample-rows.ts";
import { withClient } from "../../stack/database.ts";
import { findUngrantedColumns } from "./columns.ts";
import type { Fault } from "./fault.ts";

/**
 * Finds what makes requests fail in a database. It writes nothing.
 *
 * @param client In a transaction, whose search path it empties.
 */
export async function findFaults(client: pg.ClientBase): Promise<Fault[]> {
  await client.query("set local search_path = ''");
  return findUngrantedColumns(client);
}

/** The same in a database, with the rows that are there. */
export async function readFaults(url: string): Promise<Fault[]> {
  return withClient(url, readFaultsOn);
}

/** The same in a throwaway database, with rows that are made up first: they stay. */
export async function readFaultsWithRows(url: string): Promise<Fault[]> {
  return withClient(url, async (client) => {
    await makeRows(client);
    return readFaultsOn(client);
  });
}

async function readFaultsOn(client: pg.ClientBase): Promise<Fault[]> {
  await client.query("begin read only");
  try {
    return await findFaults(client);
  } finally {
    await client.query("rollback");
  }
}
