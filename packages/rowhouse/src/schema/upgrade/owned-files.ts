import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";

/** Texts by their path from the project's folder, with slashes. */
export type Files = Readonly<Record<string, string>>;

/** The files that the tool wrote into a project, as it wrote them, and which version did. */
export interface Lock {
  readonly version: string;
  readonly files: Files;
}

/** Where a project keeps its lock; it belongs into version control. */
export const lockFile = "rowhouse.lock.json";

/** A path inside of the project: an upgrade writes and removes what the lock names. */
const path = z.string().refine((name) => !/^\/|(^|\/)\.\.(\/|$)|\\/.test(name), {
  error: "is no path inside of the project",
});

const lockSchema = z.object({ version: z.string(), files: z.record(path, z.string()) });

/** The folder of this version's owned files: the build puts it beside the compiled sources. */
const ownedDir = join(import.meta.dirname, "../../owned");

/** The files that this version of the tool owns in a project. */
export function readOwnedFiles(dir = ownedDir): Files {
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(dir, path).split(sep).join("/"), readFileSync(path, "utf8")]),
  );
}

/**
 * Reads what the tool last wrote into a project.
 *
 * @throws RowhouseError lock_missing, lock_invalid
 */
export function readLock(root: string): Lock {
  const file = join(root, lockFile);
  if (!existsSync(file)) {
    throw new RowhouseError(
      "lock_missing",
      `${file} is missing: without it nothing tells your edits from the tool's.`,
      "Restore it from version control. It is written by `npm create rowhouse` and `rowhouse upgrade`.",
    );
  }
  try {
    return lockSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new RowhouseError(
      "lock_invalid",
      `${file} cannot be read: ${error instanceof z.ZodError ? z.prettifyError(error) : errorMessage(error)}.`,
      "Restore it from version control.",
      { cause: error },
    );
  }
}

/** The text of a lock. */
export function formatLock(lock: Lock): string {
  return `${JSON.stringify(lock, null, 2)}\n`;
}
