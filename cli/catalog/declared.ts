import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type pg from "pg";
import { codeOf, RowhouseError, reasonOf } from "../errors.ts";
import { projectRoot } from "../project.ts";
import { withClient } from "../stack/database.ts";

/** The folders that declare what the database is now. */
const declaredDirs = ["sql", "policies"];

/** SQLSTATEs of "there is no such object (yet)". */
const missingObject = new Set(["3F000", "42704", "42883", "42P01", "42703"]);

/** All files below sql/ and policies/, as paths from the project's folder. */
function declaredFiles(root = projectRoot): string[] {
  return declaredDirs.flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".sql"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort(),
  );
}

/**
 * Builds the declared database in an empty one. The files need no order: one that names
 * something missing is tried again after the others, until all are in.
 *
 * @throws RowhouseError declaration_failed, naming the file and what PostgreSQL said.
 */
export async function buildDeclared(url: string, root = projectRoot): Promise<void> {
  await withClient(url, async (client) => {
    await client.query("begin");
    let pending: Failure[] = declaredFiles(root).map((file) => ({ file, error: undefined }));
    while (pending.length > 0) {
      const left = await applyRound(client, root, pending);
      const [first] = left;
      if (first !== undefined && left.length === pending.length) throw failed(first);
      pending = left;
    }
    await client.query("commit");
  });
}

/** A file that is not in yet, and what PostgreSQL said when it was tried. */
interface Failure {
  readonly file: string;
  readonly error: unknown;
}

/** @returns The files that named something missing. */
async function applyRound(client: pg.Client, root: string, files: Failure[]): Promise<Failure[]> {
  const left: Failure[] = [];
  for (const { file } of files) {
    const error = await apply(client, join(root, file));
    if (error === undefined) continue;
    if (!missingObject.has(codeOf(error) ?? "")) throw failed({ file, error });
    left.push({ file, error });
  }
  return left;
}

/** @returns What went wrong; the file then has left nothing behind. */
async function apply(client: pg.Client, file: string): Promise<unknown> {
  await client.query("savepoint file");
  try {
    await client.query(readFileSync(file, "utf8"));
    await client.query("release savepoint file");
    return undefined;
  } catch (error) {
    await client.query("rollback to savepoint file");
    return error;
  }
}

function failed({ file, error }: Failure): RowhouseError {
  return new RowhouseError(
    "declaration_failed",
    `${file} cannot be applied: ${reasonOf(error)}.`,
    "Correct the file, or add the one that declares what it names.",
    { cause: error },
  );
}
