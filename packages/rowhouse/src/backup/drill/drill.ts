import { rmSync } from "node:fs";
import type { Progress } from "../../lib/progress.ts";
import { openProject } from "../../lib/project.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { findLogin } from "../../stack/find-login.ts";
import type { Home } from "../../stack/home.ts";
import { throwawaySettings } from "../../stack/scratch.ts";
import { findDamage } from "../checksums.ts";
import { type Backup, describeDatabase } from "../manifest.ts";
import { createRecovery, recover, unpack } from "../physical/recover.ts";
import { stageRecoveryWal } from "../physical/stage-wal.ts";
import { getArchiveDir } from "../store.ts";
import { findFirstGap, listArchived, readLastArchived, segmentOrder } from "../wal.ts";
import { replayMatrix } from "./access.ts";
import { attempt, type Check, prove } from "./checks.ts";

/** What a drill found. */
export interface Drill {
  readonly finishedAt: string;
  readonly ok: boolean;
  readonly backup: string;
  /** Which one it is a backup of, as in `describeDatabase`. */
  readonly database: string;
  /** How old the newest restorable state was: what would be lost with this machine's disk. */
  readonly rpoSeconds: number;
  /** How long the restore took; null when there was none. */
  readonly rtoSeconds: number | null;
  readonly checks: readonly Check[];
}

/** A restored database that runs, for the checks of a drill. */
interface RestoredDatabase {
  /** The database, as superuser. */
  readonly url: string;
  /** The same, as the role that PostgREST logs in as. */
  readonly apiUrl: string;
  readonly stop: () => Promise<void>;
}

/** Starts a server of its own on a backup; failures are reported as checks. */
export type BringUp = (
  backup: Backup,
  dir: string,
  progress: Progress,
) => Promise<{ checks: Check[]; database: RestoredDatabase | undefined }>;

/** Restores a backup into a scratch folder, and proves that it is the database it was made of. */
export async function drill(
  backup: Backup,
  home: Home,
  postgrestBin: string | undefined,
  bringUp: BringUp,
  progress: Progress,
): Promise<Drill> {
  const begun = performance.now();
  const rpoSeconds = secondsSince(newestState(backup, home));
  return withTemporaryFolder("drill", async (dir) => {
    progress.report("Comparing checksums ...");
    const checks = [await checksumCheck(backup, progress)];
    let rtoSeconds: number | null = null;
    if (checks.every(isPassed)) {
      progress.report("Restoring ...");
      const restored = await bringUp(backup, dir, progress);
      checks.push(...restored.checks);
      if (restored.database) {
        rtoSeconds = Math.round((performance.now() - begun) / 100) / 10;
        checks.push(...(await runChecks(restored.database, backup, dir, postgrestBin, progress)));
      }
    }
    const ok = checks.every(isPassed);
    const finishedAt = new Date().toISOString();
    const database = describeDatabase(backup.manifest);
    return { finishedAt, ok, backup: backup.name, database, rpoSeconds, rtoSeconds, checks };
  });
}

async function runChecks(
  { url, apiUrl, stop }: RestoredDatabase,
  backup: Backup,
  dir: string,
  postgrestBin: string | undefined,
  { report, signal }: Progress,
): Promise<Check[]> {
  try {
    report("Comparing rows, catalog and indexes ...");
    const proven = await prove(url, backup);
    signal.throwIfAborted();
    report("Serving it to two users ...");
    return [
      ...proven,
      await attempt("access", () => replayMatrix({ url, apiUrl }, dir, postgrestBin)),
    ];
  } finally {
    await stop();
  }
}

async function checksumCheck(backup: Backup, { signal }: Progress): Promise<Check> {
  const faults = await findDamage(backup, signal);
  return { name: "checksums", of: `${backup.manifest.files.length} files`, faults };
}

function isPassed({ faults }: Check): boolean {
  return faults.length === 0;
}

function newestState({ manifest }: Backup, home: Home): Date {
  const end = new Date(manifest.finishedAt);
  const archived = manifest.kind === "physical" ? readLastArchived(getArchiveDir(home)) : undefined;
  return archived !== undefined && archived > end ? archived : end;
}

function secondsSince(moment: Date): number {
  return Math.max(0, Math.round((Date.now() - moment.getTime()) / 1000));
}

/** Raises a physical backup: rolled on with WAL to exactly the moment that was counted. */
export function bringUpPhysical(home: Home): BringUp {
  return async (backup, dir, { signal }) => {
    const recovery = createRecovery(backup, dir, { data: "data", wal: "wal.staged" }, signal);
    const { place } = recovery.identity;
    const archive = getArchiveDir(home);
    const wal = await attempt("WAL", async () =>
      checkWal(archive, await stageRecoveryWal(recovery, archive)),
    );
    const removePlace = () => {
      if (place !== dir) rmSync(place, { recursive: true, force: true });
    };
    const checks: Check[] = [wal];
    try {
      await unpack(recovery);
      const recovered = await recover(recovery, { kind: "point" }, throwawaySettings);
      const database = backup.manifest.database;
      const stop = () => recovered.stop().finally(removePlace);
      const url = recovered.url(database);
      const login = await findLogin(url, openProject());
      return { checks, database: { url, apiUrl: recovered.url(database, login), stop } };
    } catch (error) {
      removePlace();
      signal.throwIfAborted();
      const failed = await attempt("restore", () => Promise.reject(error));
      return { checks: [...checks, failed], database: undefined };
    }
  };
}

/** The WAL since the backup, without which no later moment can be restored. */
function checkWal(archive: string, first: string): Check {
  const since = listArchived(archive).filter((one) => segmentOrder(one) >= segmentOrder(first));
  const gap = findFirstGap(since);
  const begins = since[0] !== undefined && segmentOrder(since[0]) === segmentOrder(first);
  return {
    name: "WAL",
    of: `${since.length} archived segments since the backup began`,
    faults: [
      ...(begins ? [] : [`the segment ${first} is missing in ${archive}`]),
      ...(gap === undefined ? [] : [`the segment ${gap} is missing in ${archive}`]),
    ],
  };
}
