import { join } from "node:path";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { forEach, measure } from "./files.ts";
import type { Backup, BackupFile } from "./manifest.ts";

/**
 * Compares every file of a backup with its manifest.
 *
 * @returns What is wrong, a line each; empty when all is as it was written.
 */
export async function findDamage(
  { dir, manifest }: Backup,
  signal: AbortSignal,
): Promise<string[]> {
  const faults: string[] = [];
  await forEach(manifest.files, signal, async (file) => {
    const fault = await findFault(dir, file);
    if (fault) faults.push(`${file.path} ${fault}`);
  });
  return faults.sort();
}

async function findFault(
  dir: string,
  { path, size, sha256 }: BackupFile,
): Promise<string | undefined> {
  try {
    const now = await measure(dir, path);
    if (now.size !== size) return `has ${now.size} bytes, and had ${size}`;
    return now.sha256 === sha256 ? undefined : "was changed: its checksum is another";
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "is missing";
    throw error;
  }
}

/**
 * Makes sure that a backup is as it was written.
 *
 * @throws RowhouseError backup_damaged, naming the first files.
 */
export async function assertIntact(backup: Backup, signal: AbortSignal): Promise<void> {
  const faults = await findDamage(backup, signal);
  if (faults.length === 0) return;
  const more = faults.length > 5 ? [`and ${faults.length - 5} more`] : [];
  throw new RowhouseError(
    "backup_damaged",
    `The backup ${backup.name} is damaged: ${[...faults.slice(0, 5), ...more].join("; ")}.`,
    "Nothing was restored. Use an older backup: `npx rowhouse backup --list`.",
  );
}

/** The files of the data directory: where each lies in the backup, and belongs in the directory. */
export function dataFiles({ manifest }: Backup): { from: string; to: string }[] {
  return manifest.files
    .filter(({ path }) => path.startsWith("data/"))
    .map(({ path }) => ({ from: path, to: path.slice("data/".length).replace(/\.gz$/, "") }));
}

/** The folders that a data directory has to have. */
export function dataFolders({ manifest }: Backup, dataDir: string): string[] {
  return manifest.folders.map((folder) => join(dataDir, folder));
}
