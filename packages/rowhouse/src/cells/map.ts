import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";

/** In which cell a user is, by the map of the edge. */
export interface Place {
  readonly cell: string;
  /** Whether a move was begun and neither ended nor taken back: writes are refused. */
  readonly moving: boolean;
  /** The cell of the user's bucket. */
  readonly home: string;
  /** The user's own entry. */
  readonly entry: string | undefined;
}

/** How many buckets the users fall into: compose/scale/cells.haproxy.cfg has the same. */
const buckets = 1024;

/** The bucket of a user, as HAProxy computes it. */
export function bucketOf(sub: string): number {
  return crc32(sub) % buckets;
}

/** The key under which the map names a user. */
export function userKey(sub: string): string {
  return `user/${sub}`;
}

/** The key under which the map names the bucket of a user. */
export function bucketKey(sub: string): string {
  return `bucket/${bucketOf(sub)}`;
}

/**
 * Looks a user up in a map file.
 *
 * @throws RowhouseError file_unusable, map_invalid
 */
export function findPlace(file: string, sub: string): Place {
  const entries = readLines(file).map(parseLine);
  const [home, entry] = [bucketKey(sub), userKey(sub)].map((key) => {
    const [found, another] = entries.filter((line) => line.key === key);
    if (another === undefined) return found?.value;
    throw invalid(
      `${file} has more than one line for ${key}.`,
      "Take all but the right one out, and restart the edge.",
    );
  });
  if (home === undefined) {
    throw invalid(
      `${file} has no line for ${bucketKey(sub)}.`,
      `It needs a line for each of ${buckets} buckets: docs/scale.md shows how one is made.`,
    );
  }
  const [cell = "", state] = (entry ?? home).split(":");
  return { cell, moving: state === "moving", home, entry };
}

/**
 * Writes a user's line into a map file, or takes it out: whole, or not at all, and on the disk.
 *
 * @throws RowhouseError file_unusable; map_invalid when another command writes it for more than 2 s
 */
export async function writePlace(
  file: string,
  sub: string,
  value: string | undefined,
): Promise<void> {
  const { path, draft } = locate(file);
  const descriptor = await waitFor(() => createDraft(file, draft), 20, 2000);
  if (descriptor === undefined) {
    throw invalid(
      `Another command writes ${file}, or one was killed while it did: ${draft} is there.`,
      "Try again; when no other command runs, delete that file.",
    );
  }
  try {
    // Read only now: with the draft, no other command writes.
    const kept = readLines(path).filter((line) => parseLine(line).key !== userKey(sub));
    const lines = value === undefined ? kept : [...kept, `${userKey(sub)} ${value}`];
    writeFileSync(descriptor, `${lines.join("\n")}\n`);
    keepRights(path, descriptor);
    fsyncSync(descriptor);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error instanceof RowhouseError ? error : unusable(file, error);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(path));
}

/** Where a link leads, the file itself is replaced. */
function locate(file: string): { readonly path: string; readonly draft: string } {
  try {
    const path = realpathSync(file);
    return { path, draft: `${path}.new` };
  } catch (error) {
    throw unusable(file, error);
  }
}

function createDraft(file: string, draft: string): number | undefined {
  try {
    return openSync(draft, "wx");
  } catch (error) {
    if (errorCode(error) === "EEXIST") return undefined;
    throw unusable(file, error);
  }
}

/** The edge, which is another user, may still read it. */
function keepRights(path: string, descriptor: number): void {
  const { mode, uid, gid } = statSync(path);
  fchmodSync(descriptor, mode);
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if (errorCode(error) !== "EPERM") throw error;
  }
}

/** After it a renamed file stays renamed, even if the machine loses power. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A line as HAProxy reads it; comments and empty lines have no key. */
function parseLine(line: string): { readonly key: string; readonly value: string } {
  const [key = "", value = ""] = line.trim().split(/\s+/, 2);
  return { key: key.startsWith("#") ? "" : key, value };
}

function readLines(file: string): string[] {
  try {
    if (!existsSync(file)) throw new Error("there is no such file");
    return readFileSync(file, "utf8").replace(/\n$/, "").split("\n");
  } catch (error) {
    throw unusable(file, error);
  }
}

function invalid(message: string, remedy: string): RowhouseError {
  return new RowhouseError("map_invalid", message, remedy);
}

function unusable(file: string, error: unknown): RowhouseError {
  return new RowhouseError(
    "file_unusable",
    `The map ${file} cannot be read or written: ${errorMessage(error)}.`,
    "Correct --map, or the rights on the folder.",
    { cause: error },
  );
}
