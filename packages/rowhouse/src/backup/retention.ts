import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import type { Home } from "../stack/home.ts";
import { type Backup, describeDatabase, type Manifest } from "./manifest.ts";
import { getArchiveDir, listBackups } from "./store.ts";
import { findSegment, segmentOrder } from "./wal.ts";

/** Which backups stay: those that either rule keeps. Without rules all do. */
export interface Retention {
  /** The newest so many. */
  readonly keep?: number;
  /** Those of the last so many days. */
  readonly keepDays?: number;
}

/**
 * Removes the backups of a database that no rule keeps, and the WAL that no kept backup needs. What
 * cannot be read stays, for a person to look at, and counts for nothing.
 *
 * @param newest The backup that was just made: it always stays.
 * @returns The names of the removed.
 */
export function applyRetention(
  home: Home,
  newest: Backup,
  { keep, keepDays }: Retention,
): string[] {
  if (keep === undefined && keepDays === undefined) return [];
  const alike = listBackups(home)
    .filter(({ manifest }) => getSource(manifest) === getSource(newest.manifest))
    .reverse();
  const kept = new Set([newest.name, ...alike.slice(0, keep ?? 0).map(({ name }) => name)]);
  const since = Date.now() - (keepDays ?? 0) * 24 * 60 * 60 * 1000;
  const gone = alike.filter(
    ({ name, manifest }) => !kept.has(name) && Date.parse(manifest.finishedAt) < since,
  );
  for (const { dir } of gone) remove(dir);
  pruneWal(home);
  return gone.map(({ name }) => name).reverse();
}

/** A new data directory is another database here: its backups must not push out those of the old. */
function getSource(manifest: Manifest): string {
  return JSON.stringify([describeDatabase(manifest), manifest.systemIdentifier]);
}

/** Renamed first: one that is removed in part must not look whole. */
function remove(dir: string): void {
  try {
    renameSync(dir, `${dir}.part`);
    rmSync(`${dir}.part`, { recursive: true, force: true });
  } catch (error) {
    throw new RowhouseError(
      "backup_failed",
      `The new backup is complete, and an old one could not be removed: ${errorMessage(error)}.`,
      "Remove it by hand; the next backup with --keep tries again.",
      { cause: error },
    );
  }
}

/** History files stay: they are tiny, and distinguish the timelines. */
function pruneWal(home: Home): void {
  const firsts = listBackups(home).flatMap(({ manifest }) => manifest.wal?.[0] ?? []);
  if (firsts.length === 0) return;
  const walDir = getArchiveDir(home);
  const oldest = Math.min(...firsts.map((path) => segmentOrder(findSegment(path))));
  for (const file of readdirSync(walDir)) {
    const segment = findSegment(file);
    if (segment !== "" && segmentOrder(segment) < oldest)
      rmSync(join(walDir, file), { force: true });
  }
}
