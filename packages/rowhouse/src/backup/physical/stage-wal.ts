import { createReadStream, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { give, type Identity } from "../../stack/unprivileged.ts";
import { forEach } from "../files.ts";
import { findSegment, segmentOrder, segmentSize } from "../wal.ts";
import type { Recovery } from "./recover.ts";

/** Segments and timeline history files; compressed, or as the server has them. */
const walFile = /^([0-9A-F]{24}|[0-9A-F]{8}\.history)(\.gz)?$/;

/**
 * Gathers the WAL that a backup is recovered with: its own, and what was archived since.
 *
 * @param archive The folder that the server archives its WAL into.
 * @param unarchived Folders with WAL that was never archived.
 * @returns The segment that the backup begins with.
 * @throws RowhouseError backup_damaged when a segment cannot be read to its end.
 */
export async function stageRecoveryWal(
  { backup, identity, walDir, signal }: Recovery,
  archive: string,
  ...unarchived: readonly string[]
): Promise<string> {
  const first = findSegment(backup.manifest.wal?.[0] ?? "");
  const folders = [join(backup.dir, "wal"), archive, ...unarchived];
  await stageWal(walDir, identity, folders, first, signal);
  return first;
}

/**
 * Gathers the WAL of a recovery in one folder that the server's user can read. A later folder does
 * not replace what an earlier one has.
 *
 * @param from Where WAL is: the backup's own, the archive's, and what was never archived.
 * @param first The segment that the backup begins with; older ones are not needed.
 * @throws RowhouseError backup_damaged when a segment cannot be read to its end.
 */
export async function stageWal(
  dir: string,
  identity: Identity,
  from: readonly string[],
  first: string,
  signal: AbortSignal,
): Promise<void> {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { mode: 0o700 });
  give(dir, identity);
  for (const folder of from.filter((one) => existsSync(one))) {
    const names = readdirSync(folder).filter((name) => isNeeded(name, first));
    await forEach(names, signal, async (name) => {
      const normalize = name.replace(/\.gz$/, "");
      if (existsSync(join(dir, normalize)) || existsSync(join(dir, `${normalize}.gz`))) return;
      if (/^[0-9A-F]{24}\.gz$/.test(name)) await assertReadable(join(folder, name));
      await linkOrCopy(join(folder, name), join(dir, name), identity);
    });
  }
}

function isNeeded(name: string, first: string): boolean {
  const normalize = walFile.exec(name)?.[1];
  if (normalize === undefined) return false;
  return normalize.endsWith(".history") || segmentOrder(normalize) >= segmentOrder(first);
}

/** A server takes a truncated segment for the end of the WAL: so it is refused before. */
async function assertReadable(file: string): Promise<void> {
  let size = 0;
  let reason = "";
  try {
    await pipeline(createReadStream(file), createGunzip(), async (chunks) => {
      for await (const chunk of chunks) size += (chunk as Buffer).length;
    });
  } catch (error) {
    reason = errorMessage(error);
  }
  if (size === segmentSize && reason === "") return;
  throw new RowhouseError(
    "backup_damaged",
    `The WAL segment ${file} is damaged: ${reason || `it holds ${size} bytes and not ${segmentSize}`}.`,
    "Every earlier point in time can still be restored: move it away, and give an earlier --to.",
  );
}

/** A segment is never written to again, so one file can have two names; not so with two owners. */
async function linkOrCopy(from: string, to: string, identity: Identity): Promise<void> {
  try {
    if (identity.uid === undefined) return linkSync(from, to);
  } catch {
    // On another disk.
  }
  await copyFile(from, to);
  give(to, identity);
}
