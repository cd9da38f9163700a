import type pg from "pg";
import { errorCode, RowhouseError } from "../../lib/errors.ts";
import { isSwitchedOff } from "../../lib/lint-settings.ts";
import { makeRows } from "../../schema/proof/sample-rows.ts";
import { withClient } from "../../stack/database.ts";
import { readAccess } from "../model/model.ts";
import { findUngrantedColumns } from "./columns.ts";
import { findFalliblePolicies } from "./fallible-policies.ts";
import type { Fault } from "./fault.ts";
import { toFaults } from "./report.ts";
import { findFailingRequests } from "./requests.ts";
import { readFaultWaivers } from "./waivers.ts";

/**
 * Finds what makes requests fail in a database. It writes nothing.
 *
 * @param client In a transaction, whose search path it empties.
 */
export async function findFaults(client: pg.ClientBase): Promise<Fault[]> {
  await client.query("set local search_path = ''");
  const model = await readAccess(client);
  const failing = await findFailingRequests(client, model);
  const faults = [
    ...(await findUngrantedColumns(client, model.names)),
    ...toFaults(failing),
    ...(await findFalliblePolicies(client, model, failing)),
  ];
  const waivers = await readFaultWaivers(client, model.names.schemas);
  return faults.map((fault) => ({ ...fault, isWaived: isSwitchedOff(fault, waivers) }));
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
    await client.query("set local lock_timeout = '1s'");
    return await findFaults(client);
  } catch (error) {
    throw errorCode(error) === lockNotAvailable ? locked(error) : error;
  } finally {
    await client.query("rollback");
  }
}

const lockNotAvailable = "55P03";

function locked(cause: unknown): RowhouseError {
  return new RowhouseError(
    "query_timeout",
    "Another session held a lock for 1 s on a table that has to be looked at.",
    "End that transaction (pg_stat_activity shows it), and try again.",
    { cause },
  );
}
