import { rmSync } from "node:fs";
import { join } from "node:path";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { findPostgres } from "../../stack/binaries.ts";
import type { Home } from "../../stack/home.ts";
import { careless } from "../../stack/scratch.ts";
import { unprivileged } from "../../stack/unprivileged.ts";
import { damages } from "../checksums.ts";
import { type Backup, databaseOf } from "../manifest.ts";
import { recover, unpack } from "../physical/recover.ts";
import { stageWal } from "../physical/stage-wal.ts";
import { archiveOf, type Progress } from "../store.ts";
import { archivedSegments, firstGap, lastArchivedAt, orderOf } from "../wal.ts";
import { replayMatrix } from "./access.ts";
import { attempt, type Check, prove } from "./checks.ts";

/** What a drill found. */
export interface Drill {
  readonly finishedAt: string;
  readonly ok: boolean;
  readonly backup: string;
  /** Which one it is a backup of, as in `databaseOf`. */
  readonly database: string;
  /** How old the newest restorable state was: what would be lost with this machine's disk. */
  readonly rpoSeconds: number;
  /** How long the restore took; null when there was none. */
  readonly rtoSeconds: number | null;
  readonly checks: readonly Check[];
}

/** What a drill puts a restored database through, once it is up. */
interface Arena {
  /** The database, as superuser. */
  readonly url: string;
  /** The same, as authenticator. */
  readonly apiUrl: string;
  readonly stop: () => Promise<void>;
}

/** Brings a backup up somewhere where nobody else is; failures are told as checks. */
export type Raise = (
  backup: Backup,
  dir: string,
  progress: Progress,
) => Promise<{ checks: Check[]; arena: Arena | undefined }>;

/** Restores a backup into a scratch folder, and proves that it is the database it was made of. */
export async function drill(
  backup: Backup,
  home: Home,
  postgrestBin: string | undefined,
  raise: Raise,
  progress: Progress,
): Promise<Drill> {
  const begun = performance.now();
  const rpoSeconds = secondsSince(newestState(backup, home));
  return withTemporaryFolder("drill", async (dir) => {
    progress.tell("Comparing checksums ...");
    const checks = [await checksumCheck(backup, progress)];
    let rtoSeconds: number | null = null;
    if (checks.every(isSound)) {
      progress.tell("Restoring ...");
      const raised = await raise(backup, dir, progress);
      checks.push(...raised.checks);
      if (raised.arena) {
        rtoSeconds = Math.round((performance.now() - begun) / 100) / 10;
        checks.push(...(await putThrough(raised.arena, backup, dir, postgrestBin, progress)));
      }
    }
    const ok = checks.every(isSound);
    const finishedAt = new Date().toISOString();
    const database = databaseOf(backup.manifest);
    return { finishedAt, ok, backup: backup.name, database, rpoSeconds, rtoSeconds, checks };
  });
}

async function putThrough(
  { url, apiUrl, stop }: Arena,
  backup: Backup,
  dir: string,
  postgrestBin: string | undefined,
  { tell, signal }: Progress,
): Promise<Check[]> {
  try {
    tell("Comparing rows, catalog and indexes ...");
    const proven = await prove(url, backup);
    signal.throwIfAborted();
    tell("Serving it to two users ...");
    return [
      ...proven,
      await attempt("access", () => replayMatrix({ url, apiUrl }, dir, postgrestBin)),
    ];
  } finally {
    await stop();
  }
}

async function checksumCheck(backup: Backup, { signal }: Progress): Promise<Check> {
  const faults = await damages(backup, signal);
  return { name: "checksums", of: `${backup.manifest.files.length} files`, faults };
}

function isSound({ faults }: Check): boolean {
  return faults.length === 0;
}

function newestState({ manifest }: Backup, home: Home): Date {
  const end = new Date(manifest.finishedAt);
  const archived = manifest.kind === "physical" ? lastArchivedAt(archiveOf(home)) : undefined;
  return archived !== undefined && archived > end ? archived : end;
}

function secondsSince(moment: Date): number {
  return Math.max(0, Math.round((Date.now() - moment.getTime()) / 1000));
}

/** Raises a physical backup: rolled on with WAL to exactly the moment that was counted. */
export function raisePhysical(home: Home): Raise {
  return async (backup, dir, { signal }) => {
    const identity = unprivileged(findPostgres(), dir);
    const recovery = {
      backup,
      identity,
      dataDir: join(identity.place, "data"),
      walDir: join(identity.place, "wal.staged"),
      logFile: join(dir, "restore.log"),
      signal,
    };
    const first = /[0-9A-F]{24}/.exec(backup.manifest.wal?.[0] ?? "")?.[0] ?? "";
    const wal = await attempt("WAL", async () => {
      await stageWal(
        recovery.walDir,
        identity,
        [join(backup.dir, "wal"), archiveOf(home)],
        first,
        signal,
      );
      return walCheck(archiveOf(home), first);
    });
    const removePlace = () => {
      if (identity.place !== dir) rmSync(identity.place, { recursive: true, force: true });
    };
    const checks: Check[] = [wal];
    try {
      await unpack(recovery);
      const recovered = await recover(recovery, { kind: "point" }, careless);
      const database = backup.manifest.database;
      const stop = () => recovered.stop().finally(removePlace);
      const url = recovered.url(database);
      return { checks, arena: { url, apiUrl: recovered.url(database, "authenticator"), stop } };
    } catch (error) {
      removePlace();
      signal.throwIfAborted();
      const failed = await attempt("restore", () => Promise.reject(error));
      return { checks: [...checks, failed], arena: undefined };
    }
  };
}

/** The WAL since the backup, without which no later moment can be restored. */
function walCheck(archive: string, first: string): Check {
  const since = archivedSegments(archive).filter((one) => orderOf(one) >= orderOf(first));
  const gap = firstGap(since);
  const begins = since[0] !== undefined && orderOf(since[0]) === orderOf(first);
  return {
    name: "WAL",
    of: `${since.length} archived segments since the backup began`,
    faults: [
      ...(begins ? [] : [`the segment ${first} is missing in ${archive}`]),
      ...(gap === undefined ? [] : [`the segment ${gap} is missing in ${archive}`]),
    ],
  };
}
