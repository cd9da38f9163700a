import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../stack/home.ts";
import { type Backup, readBackup } from "./manifest.ts";
import { archiveOf, backupNames, backupsDir, readableBackups } from "./places.ts";
import { orderOf } from "./wal.ts";

/** Which backups stay: those that either rule keeps. Without rules all do. */
export interface Retention {
  /** The newest so many. */
  readonly keep?: number;
  /** Those of the last so many days. */
  readonly keepDays?: number;
}

/**
 * Removes the backups that no rule keeps, and the WAL that no kept backup needs.
 *
 * @param newest The backup that was just made: it always stays.
 * @returns The names of the removed.
 */
export function retain(home: Home, newest: Backup, { keep, keepDays }: Retention): string[] {
  if (keep === undefined && keepDays === undefined) return [];
  const names = backupNames(home).reverse();
  const kept = new Set([newest.name, ...names.slice(0, keep ?? 0)]);
  const since = Date.now() - (keepDays ?? 0) * 24 * 60 * 60 * 1000;
  const gone = names.filter((name) => !kept.has(name) && !isYounger(home, name, since));
  for (const name of gone) {
    rmSync(join(backupsDir(home), name), { recursive: true, force: true });
  }
  pruneWal(home);
  return gone.reverse();
}

/** One whose manifest cannot be read is none that could be restored. */
function isYounger(home: Home, name: string, since: number): boolean {
  try {
    const { manifest } = readBackup(join(backupsDir(home), name), name);
    return Date.parse(manifest.finishedAt) >= since;
  } catch {
    return false;
  }
}

/** History files stay: they are tiny, and tell one timeline from another. */
function pruneWal(home: Home): void {
  const firsts = readableBackups(home).flatMap(({ manifest }) => manifest.wal?.[0] ?? []);
  if (firsts.length === 0) return;
  const walDir = archiveOf(home);
  const oldest = Math.min(...firsts.map((path) => orderOf(segmentIn(path))));
  for (const file of readdirSync(walDir)) {
    const segment = segmentIn(file);
    if (segment !== "" && orderOf(segment) < oldest) rmSync(join(walDir, file), { force: true });
  }
}

function segmentIn(path: string): string {
  return /([0-9A-F]{24})[^/]*\.gz$/.exec(path)?.[1] ?? "";
}
