import pg from "pg";
import { waitFor } from "../../lib/wait.ts";
import type { Server } from "../../stack/process.ts";

/** How far a recovery came. */
export interface End {
  readonly lastCommit: string | null;
  /** The position in the WAL. */
  readonly replayed: string;
}

/** Recovery reads all WAL since the backup: that can be days of it. */
const limitMs = 24 * 60 * 60 * 1000;

/** Resolves when it is no longer in recovery; with undefined when the server has ended instead. */
export async function waitForPromotion(
  url: string,
  server: Server,
  signal: AbortSignal,
): Promise<End | undefined> {
  const ask = async () => {
    if (signal.aborted) await server.stop();
    signal.throwIfAborted();
    return server.end() === undefined ? readPromotion(url) : "ended";
  };
  const end = await waitFor<End | "ended">(ask, 50, limitMs);
  return end === "ended" ? undefined : end;
}

async function readPromotion(url: string): Promise<End | undefined> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<End & { recovers: boolean }>(
      `select pg_is_in_recovery() as recovers, pg_last_wal_replay_lsn()::text as replayed, to_json(pg_last_xact_replay_timestamp() at time zone 'UTC') #>> '{}' || 'Z' as "lastCommit"`,
    );
    return rows[0]?.recovers === false ? rows[0] : undefined;
  } catch {
    return undefined; // Not there yet; when it never will be, the server ends.
  } finally {
    await client.end().catch(() => {});
  }
}
