import { accessSync, constants, lstatSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CreateError, errorCode, reason } from "./errors.ts";
import { isPackageName, suggestPackageName } from "./package-name.ts";

/** Where a project is to be created. */
export interface Target {
  /** The folder, as an absolute path. */
  readonly folder: string;
  /** Whether the folder is there already; it is empty then, but for .git. */
  readonly exists: boolean;
  /** The name of the project's package. */
  readonly packageName: string;
}

/** How many entries of a folder a message names. */
const namedEntries = 5;

/**
 * Finds out whether a project can be created in a folder. It changes nothing.
 *
 * @param given The folder as the user wrote it, relative to `cwd`.
 * @throws CreateError when the folder is not empty, is a file, cannot be written to, or is to be
 *   created under a name that npm does not accept.
 */
export function checkTarget(given: string, cwd: string): Target {
  const folder = resolve(cwd, given);
  if (isThere(folder)) {
    assertFolder(folder, given);
    assertEmpty(folder, given);
    assertWritable(folder);
    // Its name is not ours to choose: only the package's name has to suit npm.
    return { folder, exists: true, packageName: suggestPackageName(basename(folder)) };
  }
  assertPackageName(folder, given);
  assertWritable(nearestFolder(dirname(folder)));
  return { folder, exists: false, packageName: basename(folder) };
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
    throw unusable(path, error);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // A link to nothing, for one.
  }
}

function assertFolder(path: string, given: string): void {
  if (isFolder(path)) return;
  throw new CreateError(
    `${given} is there already, and is no folder.`,
    "Give another folder, or move the file away. Nothing was changed.",
  );
}

function assertEmpty(folder: string, given: string): void {
  const entries = readEntries(folder).filter((entry) => entry !== ".git");
  if (entries.length === 0) return;
  const more = entries.length - namedEntries;
  const named = entries.slice(0, namedEntries).join(", ");
  throw new CreateError(
    `${given} is not empty: it holds ${named}${more > 0 ? ` and ${more} more` : ""}.`,
    "Give a folder that is new or empty. Nothing was changed.",
  );
}

function readEntries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw unusable(folder, error);
  }
}

function assertPackageName(folder: string, given: string): void {
  const name = basename(folder);
  if (isPackageName(name)) return;
  const suggestion = join(dirname(given), suggestPackageName(name));
  throw new CreateError(
    `"${name}" cannot be the name of an npm package: use lower-case letters, digits and hyphens.`,
    `Try ${suggestion} instead. Nothing was changed.`,
  );
}

/** The folder itself, or the nearest one above that is there. */
function nearestFolder(path: string): string {
  if (!isThere(path)) return nearestFolder(dirname(path));
  if (isFolder(path)) return path;
  throw new CreateError(
    `${path} is no folder, so nothing can be created in it.`,
    "Give another folder. Nothing was changed.",
  );
}

function assertWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, error);
  }
}

function unusable(path: string, error: unknown): CreateError {
  return new CreateError(
    `Cannot write to ${path}: ${reason(error)}.`,
    "Give a folder that you may write to. Nothing was changed.",
    { cause: error },
  );
}
