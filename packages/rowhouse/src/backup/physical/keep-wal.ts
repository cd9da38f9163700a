import { mkdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import type { Progress } from "../../lib/progress.ts";
import { waitFor } from "../../lib/wait.ts";
import { withClient } from "../../stack/database.ts";
import { measure, sync } from "../files.ts";
import type { BackupFile } from "../manifest.ts";
import type { Draft } from "../store.ts";
import { listArchived } from "../wal.ts";

const archiveLimitMs = 120_000;

/** Waits for the archive, and puts the backup's own segments beside it, so that it is whole alone. */
export async function keepWal(
  url: string,
  walDir: string,
  draft: Draft,
  segments: readonly string[],
  { report, signal }: Progress,
): Promise<BackupFile[]> {
  report("Waiting for the WAL to be archived ...");
  await withClient(url, (client) => client.query("select pg_switch_wal()"));
  const arrived = await waitFor(
    () => {
      signal.throwIfAborted();
      const archived = new Set(listArchived(walDir));
      return segments.every((segment) => archived.has(segment)) || undefined;
    },
    50,
    archiveLimitMs,
  );
  if (!arrived) throw await createArchiveError(url, walDir);
  const files: BackupFile[] = [];
  for (const segment of segments) {
    const path = join("wal", `${segment}.gz`);
    mkdirSync(dirname(join(draft.dir, path)), { recursive: true, mode: 0o700 });
    await copyFile(join(walDir, `${segment}.gz`), join(draft.dir, path));
    await sync(join(draft.dir, path));
    files.push(await measure(draft.dir, path));
  }
  await sync(join(draft.dir, "wal"));
  return files;
}

async function createArchiveError(url: string, walDir: string): Promise<RowhouseError> {
  const failed = await withClient(url, async (client) => {
    const { rows } = await client.query<{ wal: string | null }>(
      "select last_failed_wal as wal from pg_catalog.pg_stat_archiver",
    );
    return rows[0]?.wal;
  });
  return new RowhouseError(
    "backup_failed",
    `The server's WAL did not arrive in ${walDir} within ${archiveLimitMs / 1000} s${failed ? `; it failed at ${failed}` : ""}.`,
    "See the server's log, postgres.log in the home, and the free space on the disk.",
  );
}
