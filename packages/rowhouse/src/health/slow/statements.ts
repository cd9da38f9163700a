import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorCode, RowhouseError } from "../../lib/errors.ts";
import { inDatabase, withClient } from "../../stack/database.ts";

/** A statement that was run, all its runs together. */
export interface Statement {
  /** PostgreSQL's queryid, which stays the same as long as the statement does. */
  readonly id: string;
  readonly role: string | null;
  /** Its text, with $1, $2 ... in the place of values. */
  readonly statement: string;
  readonly calls: number;
  readonly rows: number;
  readonly meanMs: number;
  readonly totalMs: number;
  /** Of the time of all statements of the database; 0 to 1. */
  readonly share: number;
}

const query = (name: string) => readFileSync(join(import.meta.dirname, `${name}.sql`), "utf8");

/**
 * The statements of a database that took the longest, by their total or their mean time.
 *
 * Those of the URL's own role are left out unless `all` is set: commands like this one make them.
 * pg_stat_statements covers a whole server from any database that has the extension: it is looked
 * for in the database itself, then in the maintenance database.
 *
 * @throws RowhouseError slow_unrecorded, database_unreachable, database_refused
 */
export async function slowStatements(
  url: string,
  by: "total" | "mean",
  limit: number,
  all: boolean,
): Promise<Statement[]> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  const read = (client: pg.Client) => readStatements(client, [name, by, limit, all]);
  const found = (await withClient(url, read)) ?? (await inMaintenance(url, read));
  if (found !== undefined) return found;
  throw createUnrecordedError();
}

async function readStatements(
  client: pg.Client,
  values: unknown[],
): Promise<Statement[] | undefined> {
  const { rows } = await client.query<{ schema: string }>(query("extension"));
  if (rows[0] === undefined) return undefined;
  await client.query("select set_config('search_path', quote_ident($1), false)", [rows[0].schema]);
  try {
    return (await client.query<Statement>(query("statements"), values)).rows;
  } catch (error) {
    if (errorCode(error) === "55000") throw createUnrecordedError(error);
    throw error;
  }
}

/** Many servers let only their owner in there: then nothing is found. */
async function inMaintenance<T>(url: string, read: (client: pg.Client) => Promise<T>) {
  try {
    return await withClient(inDatabase(url, "postgres"), read);
  } catch (error) {
    if (error instanceof RowhouseError && error.code === "database_refused") return undefined;
    throw error;
  }
}

function createUnrecordedError(cause?: unknown): RowhouseError {
  return new RowhouseError(
    "slow_unrecorded",
    "The server does not record which statements are slow: pg_stat_statements was not found, or is not loaded.",
    "Set shared_preload_libraries = 'pg_stat_statements', restart the server, then `create extension pg_stat_statements` in its database postgres.",
    { cause },
  );
}
