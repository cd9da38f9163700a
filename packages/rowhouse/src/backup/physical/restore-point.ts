import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { codeOf, RowhouseError } from "../../lib/errors.ts";
import { migrationLock } from "../../stack/dbmate.ts";
import { sequencesOf, steadySession, tablesOf } from "../facts.ts";
import type { Manifest } from "../manifest.ts";
import type { Progress } from "../store.ts";

/** A moment that the WAL names, and a connection that sees the database as it was then. */
export interface Moment {
  readonly restorePoint: string;
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
 * others the other way round. Therefore nobody may write while both are taken: SHARE locks on all
 * tables wait for those who are writing, and hold off the next. The snapshot is handed on to a
 * second connection, and the locks go at once: writers wait for milliseconds, and not for the
 * counting. Migrations wait until it is over, since what they change is more than rows.
 */
export async function withMoment<T>(
  url: string,
  restorePoint: string,
  { tell, signal }: Progress,
  look: (client: pg.Client, moment: Moment) => Promise<T>,
): Promise<T> {
  const [pin, looker] = [connection(url), connection(url)];
  const end = () => Promise.allSettled([pin.end(), looker.end()]);
  signal.addEventListener("abort", end, { once: true }); // Also while it waits for somebody.
  const waits = setTimeout(
    () => tell("Waiting for a moment between writes and migrations ..."),
    2000,
  );
  try {
    await Promise.all([pin.connect(), looker.connect()]);
    await steadySession(looker);
    await looker.query("select pg_advisory_lock($1)", [migrationLock]);
    const moment = await pinned(pin, looker, restorePoint);
    clearTimeout(waits);
    return await look(looker, moment);
  } finally {
    clearTimeout(waits);
    signal.removeEventListener("abort", end);
    await end();
  }
}

/**
 * Who writes to several tables and who locks them all can end up waiting for each other. Then it is
 * us who give up, long before the server would end the writer (deadlock_timeout, 1 s); and next
 * time the table that we failed at comes first, until the order is the writers' own.
 */
async function pinned(pin: pg.Client, looker: pg.Client, restorePoint: string): Promise<Moment> {
  let order: readonly string[] = await tablesOf(pin);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await pin.query("begin isolation level repeatable read");
    // First of all: the snapshot must not be older than the locks.
    const failedAt = await lockAll(pin, order);
    if (failedAt === undefined) return await capture(pin, looker, restorePoint);
    await pin.query("rollback");
    order = [failedAt, ...order.filter((table) => table !== failedAt)];
    await delay(50); // For those who waited for us.
  }
  throw new RowhouseError(
    "backup_failed",
    "Somebody kept writing in long transactions, so no moment between writes was found.",
    "End them (pg_stat_activity shows them), and try again.",
  );
}

/** @returns The table that could not be locked in time. */
async function lockAll(pin: pg.Client, tables: readonly string[]): Promise<string | undefined> {
  await pin.query("set local lock_timeout = '200ms'");
  for (const table of tables) {
    try {
      await pin.query(`lock table only ${table} in share mode`);
    } catch (error) {
      if (codeOf(error) !== "55P03") throw error;
      return table;
    }
  }
  return undefined;
}

async function capture(pin: pg.Client, looker: pg.Client, restorePoint: string): Promise<Moment> {
  const { rows } = await pin.query<{ snapshot: string }>("select pg_export_snapshot() as snapshot");
  await looker.query("begin isolation level repeatable read read only");
  await looker.query(`set transaction snapshot ${pg.escapeLiteral(rows[0]?.snapshot ?? "")}`);
  // Sequences heed no snapshot. Read before the point, none can stand behind this afterwards.
  const sequences = await sequencesOf(pin);
  const point = await pin.query<{ lsn: string; at: string }>(
    "select pg_create_restore_point($1)::text as lsn, to_json(clock_timestamp() at time zone 'UTC') #>> '{}' || 'Z' as at",
    [restorePoint],
  );
  await pin.query("commit");
  const { lsn = "", at = "" } = point.rows[0] ?? {};
  return { restorePoint, lsn, at, sequences };
}

function connection(url: string): pg.Client {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  return client;
}
