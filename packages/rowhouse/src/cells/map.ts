import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";

/** In which cell a user is, by the map of the edge. */
export interface Place {
  readonly cell: string;
  /** Whether a move was begun and neither ended nor taken back: writes are refused. */
  readonly moving: boolean;
  /** The cell of the user's bucket. */
  readonly home: string;
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

/**
 * Looks a user up in a map file.
 *
 * @throws RowhouseError file_unusable, map_invalid
 */
export function findPlace(file: string, sub: string): Place {
  const lines = new Map(readLines(file).map((line) => line.split(/\s+/, 2) as [string, string]));
  const home = lines.get(`bucket/${bucketOf(sub)}`);
  if (home === undefined) {
    throw new RowhouseError(
      "map_invalid",
      `${file} has no line for bucket/${bucketOf(sub)}.`,
      `It needs a line for each of ${buckets} buckets: docs/scale.md shows how one is made.`,
    );
  }
  const [cell = "", state] = (lines.get(userKey(sub)) ?? home).split(":");
  return { cell, moving: state === "moving", home };
}

/**
 * Writes a user's line into a map file, or takes it out: whole, or not at all.
 *
 * @throws RowhouseError file_unusable; map_invalid while another command writes it
 */
export function writePlace(file: string, sub: string, value: string | undefined): void {
  const kept = readLines(file).filter((line) => line.split(/\s+/)[0] !== userKey(sub));
  const lines = value === undefined ? kept : [...kept, `${userKey(sub)} ${value}`];
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, `${lines.join("\n")}\n`, { flag: "wx" });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw unusable(file, error);
    throw new RowhouseError(
      "map_invalid",
      `Another command writes ${file}, or one was killed while it did: ${draft} is there.`,
      "Try again; when no other command runs, delete that file.",
    );
  }
  try {
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw unusable(file, error);
  }
}

/** The lines of a map file that say something. */
function readLines(file: string): string[] {
  try {
    if (!existsSync(file)) throw new Error("there is no such file");
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => /^\S/.test(line) && !line.startsWith("#"));
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): RowhouseError {
  return new RowhouseError(
    "file_unusable",
    `The map ${file} cannot be read or written: ${errorMessage(error)}.`,
    "Correct --map, or the rights on the folder.",
    { cause: error },
  );
}
