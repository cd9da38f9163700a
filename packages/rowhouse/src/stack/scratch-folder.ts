import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

/** Where Linux keeps files in memory. */
const memory = "/dev/shm";

/** What has to be free there: a container has 64 MB of it by default, and a scratch server needs 60. */
const wantedBytes = 2 ** 30;

/**
 * The folder for the data of throwaway servers: in memory where there is room, since making and removing
 * their thousand files takes most of the time on a disk. TMPDIR is obeyed.
 */
export function scratchFolder(): string {
  return process.env.TMPDIR === undefined && hasRoom(memory, wantedBytes) ? memory : tmpdir();
}

/** Whether a folder can be written to, and has room for so many bytes. */
export function hasRoom(folder: string, wanted: number): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= wanted;
  } catch {
    return false; // macOS has none.
  }
}
