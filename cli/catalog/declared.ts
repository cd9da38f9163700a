import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type pg from "pg";
import { codeOf, RowhouseError, reasonOf } from "../errors.ts";
import { projectRoot } from "../project.ts";
import { withClient } from "../stack/database.ts";
import { faultIn } from "./fault.ts";
import { statementsOf } from "./sql.ts";

/** The folders that declare what the database is now. */
const declaredDirs = ["sql", "policies"];

/** SQLSTATEs of "there is no such object (yet)". */
const missingObject = new Set(["3F000", "42704", "42883", "42P01", "42703"]);

/** All files below sql/ and policies/, as paths from the project's folder. */
export function declaredFiles(root = projectRoot): string[] {
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
 * @throws RowhouseError declaration_failed, naming the file, the place in it, and what PostgreSQL said.
 */
export async function buildDeclared(url: string, root = projectRoot): Promise<void> {
  await withClient(url, async (client) => {
    await client.query("begin");
    let pending: Failure[] = declaredFiles(root).map((file) => ({ file, error: undefined }));
    while (pending.length > 0) {
      const left = await applyRound(client, root, pending);
      const cause = causeOf(left);
      if (cause && left.length === pending.length) throw await failed(client, root, cause);
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

/** The failure that the others follow from: what it misses is in none of the files that are left. */
function causeOf(failures: readonly Failure[]): Failure | undefined {
  const isMade = (reason: string) => failures.some(({ file }) => reason.includes(objectOf(file)));
  return failures.find(({ error }) => !isMade(reasonOf(error))) ?? failures[0];
}

/** How PostgreSQL names what a file declares: files are named after their objects. */
function objectOf(file: string): string {
  const [dir = "", name = ""] = file
    .replace(/\.sql$/, "")
    .split(sep)
    .slice(-2);
  return ["schemas", "roles"].includes(dir) ? `"${name}"` : `${dir}.${name}`;
}

/** @returns The files that named something missing. */
async function applyRound(client: pg.Client, root: string, files: Failure[]): Promise<Failure[]> {
  const left: Failure[] = [];
  for (const { file } of files) {
    const error = await apply(client, readFileSync(join(root, file), "utf8"));
    if (error === undefined) continue;
    if (!missingObject.has(codeOf(error) ?? "")) throw await failed(client, root, { file, error });
    left.push({ file, error });
  }
  return left;
}

/** @returns What went wrong; the SQL then has left nothing behind. */
async function apply(client: pg.Client, sql: string): Promise<unknown> {
  await client.query("savepoint file");
  try {
    await client.query(sql);
    await client.query("release savepoint file");
    return undefined;
  } catch (error) {
    await client.query("rollback to savepoint file");
    return error;
  }
}

async function failed(
  client: pg.Client,
  root: string,
  { file, error }: Failure,
): Promise<RowhouseError> {
  const sql = readFileSync(join(root, file), "utf8");
  const start = await failingStatement(client, sql);
  return new RowhouseError(
    "declaration_failed",
    `What is declared cannot be built.\n${faultIn(file, sql, error, start)}`,
    "Correct the file, or add the one that declares what it names.",
    { cause: error },
  );
}

/** Where the first statement that fails starts: a file is sent as one, so it is looked for. */
async function failingStatement(client: pg.Client, sql: string): Promise<number | undefined> {
  for (const { text, start } of statementsOf(sql)) {
    if ((await apply(client, text)) !== undefined) return start;
  }
  return undefined;
}
