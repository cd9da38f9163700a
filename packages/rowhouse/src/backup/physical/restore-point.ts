import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { errorCode, RowhouseError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/progress.ts";
import { migrationLock } from "../../stack/dbmate.ts";
import { listTables, prepareSession, readSequences } from "../facts.ts";
import type { Manifest } from "../manifest.ts";

/** A named position in the WAL, and where the sequences stood there. */
export interface RestorePoint {
  readonly name: string;
  readonly lsn: string;
  readonly at: string;
  readonly sequences: Manifest["sequences"];
}

const attempts = 100;

/**
 * Puts a restore point into the WAL, and lets a connection look at exactly what a restore to that
 * point will hold.
 *
 * A snapshot alone would not do: a transaction writes its commit into the WAL before others see
 * it, so that under load some commits would stand before the point and not in the snapshot, and
 * others the other way round. Therefore no session may write while both are taken: SHARE locks on all
 * tables wait for current writers, and hold off the next. The snapshot is handed on to a
 * second connection, and the locks go at once: writers wait for milliseconds, and not for the
 * counting. Migrations wait until it is over, since what they change is more than rows.
 */
export async function withRestorePoint<T>(
  url: string,
  name: string,
  { report, signal }: Progress,
  look: (client: pg.Client, restorePoint: RestorePoint) => Promise<T>,
): Promise<T> {
  const [locker, reader] = [connection(url), connection(url)];
  const end = () => Promise.allSettled([locker.end(), reader.end()]);
  signal.addEventListener("abort", end, { once: true }); // Also while it waits for a lock.
  const notice = setTimeout(
    () => report("Waiting for a moment between writes and migrations ..."),
    2000,
  );
  try {
    await Promise.all([locker.connect(), reader.connect()]);
    await prepareSession(reader);
    await reader.query("select pg_advisory_lock($1)", [migrationLock]);
    const restorePoint = await createRestorePoint(locker, reader, name);
    clearTimeout(notice);
    return await look(reader, restorePoint);
  } finally {
    clearTimeout(notice);
    signal.removeEventListener("abort", end);
    await end();
  }
}

/**
 * Who writes to several tables and who locks them all can end up waiting for each other. Then it is
 * us who give up, long before the server would end the writer (deadlock_timeout, 1 s); and next
 * time the table that we failed at comes first, until the order is the writers' own.
 */
async function createRestorePoint(
  locker: pg.Client,
  reader: pg.Client,
  name: string,
): Promise<RestorePoint> {
  let order: readonly string[] = await listTables(locker);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await locker.query("begin isolation level repeatable read");
    // First of all: the snapshot must not be older than the locks.
    const failedAt = await lockAll(locker, order);
    if (failedAt === undefined) return await capture(locker, reader, name);
    await locker.query("rollback");
    order = [failedAt, ...order.filter((table) => table !== failedAt)];
    await delay(50); // For those who waited for us.
  }
  throw new RowhouseError(
    "backup_failed",
    "Found no moment between writes: long transactions kept writing.",
    "End them (pg_stat_activity shows them), and try again.",
  );
}

/** @returns The table that could not be locked in time. */
async function lockAll(locker: pg.Client, tables: readonly string[]): Promise<string | undefined> {
  await locker.query("set local lock_timeout = '200ms'");
  for (const table of tables) {
    try {
      await locker.query(`lock table only ${table} in share mode`);
    } catch (error) {
      if (errorCode(error) !== "55P03") throw error;
      return table;
    }
  }
  return undefined;
}

async function capture(locker: pg.Client, reader: pg.Client, name: string): Promise<RestorePoint> {
  const { rows } = await locker.query<{ snapshot: string }>(
    "select pg_export_snapshot() as snapshot",
  );
  await reader.query("begin isolation level repeatable read read only");
  await reader.query(`set transaction snapshot ${pg.escapeLiteral(rows[0]?.snapshot ?? "")}`);
  // Sequences ignore snapshots. Read before the point, none can be behind this afterwards.
  const sequences = await readSequences(locker);
  const point = await locker.query<{ lsn: string; at: string }>(
    "select pg_create_restore_point($1)::text as lsn, to_json(clock_timestamp() at time zone 'UTC') #>> '{}' || 'Z' as at",
    [name],
  );
  await locker.query("commit");
  const { lsn = "", at = "" } = point.rows[0] ?? {};
  return { name, lsn, at, sequences };
}

function connection(url: string): pg.Client {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  return client;
}
