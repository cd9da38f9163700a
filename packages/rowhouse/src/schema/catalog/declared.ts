import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import { formatFault } from "./fault.ts";
import { findRefusal, rowsRefusal } from "./refused.ts";
import { type Statement, splitStatements } from "./sql.ts";
import { isCreation, listSubjects } from "./subject.ts";

/** The folders that declare what the database is now. */
const declaredDirs = ["sql", "policies"];

/** SQLSTATEs of "there is no such object (yet)". */
const missingObject = new Set(["3F000", "42704", "42883", "42P01", "42703"]);

/** All files below sql/ and policies/, as paths from the project's folder. */
export function declaredFiles(root = openProject().root): string[] {
  return declaredDirs.flatMap((dir) =>
    listEntries(root, dir)
      .filter((entry) => entry.isFile() && entry.name.endsWith(".sql"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort(),
  );
}

function listEntries(root: string, dir: string) {
  return orDeclarationError(dir, () =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true }),
  );
}

/**
 * Reads a file below sql/ or policies/, without the byte order mark that some editors add.
 *
 * @throws RowhouseError declaration_failed
 */
export function readDeclared(root: string, file: string): string {
  return orDeclarationError(file, () =>
    readFileSync(join(root, file), "utf8").replace(/^\ufeff/, ""),
  );
}

function orDeclarationError<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RowhouseError(
      "declaration_failed",
      `What is declared cannot be read: ${errorMessage(error)}.`,
      `Put ${path} back: sql/ and policies/ declare the whole database.`,
      { cause: error },
    );
  }
}

/**
 * Builds the declared database in an empty one. The files need no order: one that names
 * something missing is tried again after the others, until all are in.
 *
 * @throws RowhouseError declaration_failed, naming the file, the place in it, and PostgreSQL's error;
 *   declaration_refused for what no comparison would see.
 */
export async function buildDeclared(url: string, root = openProject().root): Promise<void> {
  const files = declaredFiles(root);
  for (const file of files) refuseUndeclarable(file, readDeclared(root, file));
  await withClient(url, async (client) => {
    await client.query("begin");
    let pending: Failure[] = files.map((file) => ({ file, error: undefined }));
    while (pending.length > 0) {
      const left = await applyRound(client, root, pending);
      const cause = findCause(left);
      if (cause && left.length === pending.length) throw await createError(client, root, cause);
      pending = left;
    }
    await refuseRows(client);
    await client.query("commit");
  });
}

/** Refuses what no comparison would see: it would be "declared" and never arrive. */
function refuseUndeclarable(file: string, sql: string): void {
  for (const { tree, codeStart } of splitStatements(sql)) {
    const refusal = findRefusal(tree);
    if (refusal === undefined) continue;
    throw new RowhouseError(
      "declaration_refused",
      `This cannot be declared.\n${formatFault(file, sql, new Error(refusal.reason), codeStart)}`,
      refusal.remedy,
    );
  }
}

const filledSql = readFileSync(join(import.meta.dirname, "filled.sql"), "utf8");

/** Rows can also come from a `do` block, a function or a query: that no text shows. */
async function refuseRows(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(filledSql);
  if (rows.length === 0) return;
  throw new RowhouseError(
    "declaration_refused",
    `The files put rows into ${rows.map(({ name }) => name).join(", ")}, but ${rowsRefusal.reason}.`,
    rowsRefusal.remedy,
  );
}

/** A file that is not applied yet, and the error when it was tried. */
interface Failure {
  readonly file: string;
  readonly error: unknown;
}

/** The failure that the others follow from: what it misses is in none of the files that are left. */
function findCause(failures: readonly Failure[]): Failure | undefined {
  const isMade = (reason: string) => failures.some(({ file }) => reason.includes(objectName(file)));
  return failures.find(({ error }) => !isMade(errorMessage(error))) ?? failures[0];
}

/** How PostgreSQL names what a file declares: files are named after their objects. */
function objectName(file: string): string {
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
    const error = await apply(client, readDeclared(root, file));
    if (error === undefined) continue;
    if (!missingObject.has(errorCode(error) ?? ""))
      throw await createError(client, root, { file, error });
    left.push({ file, error });
  }
  return left;
}

/** The error for a file that ends the transaction; what it ran until then stays. */
const endsTransaction = "a file cannot begin or end a transaction: all of them run in one";

/** SQLSTATEs of "there is no transaction" and "there is no such savepoint". */
const transactionGone = new Set(["25P01", "3B001"]);

/** @returns What went wrong; the SQL then has left nothing behind. */
async function apply(client: pg.Client, sql: string): Promise<unknown> {
  await client.query("savepoint file");
  try {
    await client.query(sql);
    await client.query("release savepoint file");
    return undefined;
  } catch (error) {
    if (transactionGone.has(errorCode(error) ?? "")) return new Error(endsTransaction);
    await client.query("rollback to savepoint file");
    return error;
  }
}

async function createError(
  client: pg.Client,
  root: string,
  { file, error }: Failure,
): Promise<RowhouseError> {
  const sql = readDeclared(root, file);
  const statement =
    errorMessage(error) === endsTransaction
      ? splitStatements(sql).find(isTransactionCommand)
      : await failingStatement(client, sql);
  const twin = alreadyThere.has(errorCode(error) ?? "")
    ? findTwin(root, file, statement)
    : undefined;
  return new RowhouseError(
    "declaration_failed",
    `What is declared cannot be built.\n${formatFault(file, sql, error, statement?.start)}`,
    twin === undefined
      ? "Correct the file, or add the one that declares what it names."
      : `${twin} declares it, too: take one of the two out.`,
    { cause: error },
  );
}

/** SQLSTATEs of "there is such an object already". */
const alreadyThere = new Set(["42710", "42P07", "42723", "42P06"]);

/** Another file that makes what a statement makes. */
function findTwin(
  root: string,
  file: string,
  statement: Statement | undefined,
): string | undefined {
  const [subject] = listSubjects(statement?.tree);
  return declaredFiles(root).find(
    (other) =>
      subject !== undefined &&
      other !== file &&
      splitStatements(readDeclared(root, other)).some(
        ({ tree }) => isCreation(tree) && listSubjects(tree).includes(subject),
      ),
  );
}

function isTransactionCommand({ tree }: Statement): boolean {
  return tree !== undefined && "TransactionStmt" in tree;
}

/** The first statement that fails: a file is sent as one, so it is looked for. */
async function failingStatement(client: pg.Client, sql: string): Promise<Statement | undefined> {
  for (const statement of splitStatements(sql)) {
    if ((await apply(client, statement.text)) !== undefined) return statement;
  }
  return undefined;
}
