import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import { timestamp } from "../../lib/format.ts";
import type { Progress } from "../../lib/progress.ts";
import { findPostgres } from "../../stack/binaries.ts";
import { withClient } from "../../stack/database.ts";
import { type Home, postgresPassword } from "../../stack/home.ts";
import { acquireLock } from "../../stack/lock.ts";
import { chooseIdentity, give, type Identity } from "../../stack/unprivileged.ts";
import { assertIntact } from "../checksums.ts";
import { toDiskError } from "../disk-error.ts";
import { sync } from "../files.ts";
import type { Backup } from "../manifest.ts";
import type { RestoreTime } from "../select.ts";
import { getArchiveDir } from "../store.ts";
import { findFirstGap, findTimeline, listArchived, packWithTime, segmentOrder } from "../wal.ts";
import { createRecovery, type Recovered, type Recovery, recover, unpack } from "./recover.ts";
import { stageRecoveryWal } from "./stage-wal.ts";
import type { Target } from "./target.ts";

/** What a restore did. */
export interface Restored {
  readonly backup: string;
  /** The last change that it holds of the time after the backup began; null when there was none. */
  readonly lastCommit: string | null;
  readonly endedBefore: boolean;
  readonly dataDir: string;
  /** Where the data is that was there before. */
  readonly before: string | undefined;
}

/**
 * Restores a physical backup into a home: beside what is there, and put in its place only when the
 * server has come up on it.
 *
 * @param from The home with the backup and the archived WAL.
 * @param into The home that gets the data: the same one, or another.
 * @throws RowhouseError home_in_use, backup_damaged, restore_refused, restore_failed
 */
export async function restore(
  backup: Backup,
  restoreTime: RestoreTime,
  from: Home,
  into: Home,
  { report, signal }: Progress,
): Promise<Restored> {
  const lock = await acquireLock(into, "end");
  const names = { data: "data.restoring", wal: "wal.restoring" };
  const recovery = createRecovery(backup, into.dir, names, signal);
  const { place } = recovery.identity;
  const dataDir = join(place, "data");
  const discard = () => {
    rmSync(recovery.dataDir, { recursive: true, force: true });
    rmSync(recovery.walDir, { recursive: true, force: true });
  };
  try {
    discard(); // What a killed restore left.
    report("Comparing checksums ...");
    await assertIntact(backup, signal);
    const target = await gather(recovery, restoreTime, from);
    report("Unpacking ...");
    await unpack(recovery);
    report("Replaying WAL ...");
    const recovered = await recover(recovery, target);
    await settle(recovered, recovery, into, from);
    const before = swap(recovery.dataDir, dataDir);
    await sync(place);
    const { lastCommit, endedBefore } = recovered;
    return { backup: backup.name, lastCommit, endedBefore, dataDir, before };
  } catch (error) {
    const remedy = "Make room for a second copy of the data. The existing data was not changed.";
    throw toDiskError(error, "restore_failed", remedy);
  } finally {
    discard();
    await lock.release();
  }
}

/** Gathers the WAL, and decides how far it is to be followed. */
async function gather(recovery: Recovery, restoreTime: RestoreTime, from: Home): Promise<Target> {
  const { backup } = recovery;
  const archive = getArchiveDir(from);
  if (restoreTime === undefined) {
    // Every timeline that was ever begun is known, so that the new one gets a number of its own.
    await stageRecoveryWal(recovery, archive);
    return { kind: "point" };
  }
  // WAL that was not yet archived when a server was killed is only in its data directory.
  const first = await stageRecoveryWal(recovery, archive, join(archive, "..", "data", "pg_wal"));
  assertUnbroken([join(backup.dir, "wal"), archive], backup, first);
  const timeline = findTimeline(
    archive,
    backup.manifest.timeline ?? 1,
    restoreTime === "latest" ? new Date() : restoreTime,
  );
  return restoreTime === "latest"
    ? { kind: "latest", timeline }
    : { kind: "time", time: restoreTime, timeline };
}

/** The archive has to join on to what the backup holds itself. */
function assertUnbroken(
  [own, archive]: readonly [string, string],
  { name }: Backup,
  first: string,
): void {
  const since = listArchived(own, archive).filter(
    (one) => segmentOrder(one) >= segmentOrder(first),
  );
  const gap = findFirstGap(since);
  if (gap === undefined) return;
  throw new RowhouseError(
    "backup_damaged",
    `The WAL segment ${gap} is missing in ${archive}: the backup ${name} cannot be recovered beyond it.`,
    "Find it, use a later backup, or restore the end of this backup: without --to.",
  );
}

/** Fits the restored data to its home, and ends the server in good order. */
async function settle(
  recovered: Recovered,
  { dataDir }: Recovery,
  into: Home,
  from: Home,
): Promise<void> {
  try {
    const password = postgresPassword(into);
    await withClient(recovered.url("postgres"), (client) =>
      client.query(`alter role postgres password '${password}'`),
    );
  } finally {
    await recovered.stop();
  }
  if (into.dir === from.dir)
    keepHistory(dataDir, getArchiveDir(from), chooseIdentity(findPostgres(), into.dir));
}

/**
 * The server archived nothing while it was recovering, so that a restore that fails leaves no
 * timeline behind that later ones would follow. Now that it stands, the archive must know of it.
 */
function keepHistory(dataDir: string, archive: string, identity: Identity): void {
  const names = readdirSync(join(dataDir, "pg_wal")).filter((name) => name.endsWith(".history"));
  const newest = names.sort().at(-1);
  if (newest === undefined || !existsSync(archive)) return;
  const file = join(archive, `${newest}.gz`);
  if (existsSync(file)) return;
  const text = packWithTime(readFileSync(join(dataDir, "pg_wal", newest)));
  writeFileSync(`${file}.part`, text, { mode: 0o600, flush: true });
  give(`${file}.part`, identity);
  renameSync(`${file}.part`, file);
}

/**
 * Puts restored data in its place; when it cannot be, what was there is back.
 *
 * @returns Where the data is that was there before.
 */
export function swap(restored: string, dataDir: string): string | undefined {
  if (!existsSync(dataDir)) {
    renameSync(restored, dataDir);
    return undefined;
  }
  const before = `${dataDir}.before-${timestamp(new Date())}`;
  if (existsSync(before)) {
    throw new RowhouseError("restore_refused", `${before} is there already.`, "Try again.");
  }
  renameSync(dataDir, before);
  try {
    renameSync(restored, dataDir);
  } catch (error) {
    renameSync(before, dataDir);
    throw error;
  }
  return before;
}
