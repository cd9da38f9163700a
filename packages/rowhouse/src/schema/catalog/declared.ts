import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import { formatFault } from "./fault.ts";
import { findNeededBelow, findObstacle } from "./needs.ts";
import { rank } from "./order.ts";
import {
  findMarker,
  findRefusal,
  markerRefusal,
  type Refusal,
  rowsRefusal,
  runsSomething,
} from "./refused.ts";
import { parseStatements, type Statement, splitStatements } from "./sql.ts";
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
 * something missing is tried again after the others, and at last a statement at a time, until all
 * are in.
 *
 * @throws RowhouseError declaration_failed, naming the file, the place in it, and PostgreSQL's error,
 *   or the files that need each other; declaration_refused for what no comparison would see.
 */
export async function buildDeclared(url: string, root = openProject().root): Promise<void> {
  const files: readonly DeclaredFile[] = declaredFiles(root)
    .map((file) => readDeclarable(root, file))
    .sort((a, b) => a.rank - b.rank);
  await withClient(url, async (client) => {
    await client.query("begin");
    const left = await untilStuck(files, (some) => applyFiles(client, root, some));
    const split = left.map((one): SplitFile => {
      return { ...one, rest: splitStatements(one.sql), error: undefined };
    });
    const stuck = await untilStuck(split, (some) => applyStatements(client, root, some));
    const byName = stuck.toSorted((a, b) => (a.file < b.file ? -1 : 1));
    if (stuck.length > 0) throw createStuckError(root, byName);
    await refuseRows(client, files);
    await client.query("commit");
  });
}

/** A file that is not in yet. */
interface DeclaredFile {
  readonly file: string;
  readonly sql: string;
}

/** A file of which some statements may be in. */
interface SplitFile extends DeclaredFile {
  readonly rest: readonly Statement[];
  /** Why the first of them failed when it was tried. */
  readonly error: unknown;
}

/** Goes over what is left until a round brings none of it in. @returns What is left then. */
async function untilStuck<T extends DeclaredFile>(
  files: readonly T[],
  round: (files: readonly T[]) => Promise<{ readonly left: readonly T[]; readonly done: number }>,
): Promise<readonly T[]> {
  let pending = files;
  while (pending.length > 0) {
    const { left, done } = await round(pending);
    pending = left;
    if (done === 0) break;
  }
  return pending;
}

/** Reads a file, and refuses what no comparison would see: it would be "declared" and never arrive. */
function readDeclarable(root: string, file: string) {
  const sql = readDeclared(root, file);
  const marker = findMarker(sql);
  if (marker !== undefined) throw createRefusal(file, sql, markerRefusal, marker);
  const trees = parseStatements(sql);
  for (const [index, tree] of trees.entries()) {
    const refusal = findRefusal(tree);
    if (refusal === undefined) continue;
    throw createRefusal(file, sql, refusal, splitStatements(sql)[index]?.codeStart ?? 0);
  }
  return { file, sql, rank: rank(trees[0]) };
}

function createRefusal(
  file: string,
  sql: string,
  { reason, remedy }: Refusal,
  place: number,
): RowhouseError {
  const position = [...sql.slice(0, place)].length + 1;
  const fault = formatFault(file, sql, Object.assign(new Error(reason), { position }));
  return new RowhouseError("declaration_refused", `This cannot be declared.\n${fault}`, remedy);
}

const filledSql = readFileSync(join(import.meta.dirname, "filled.sql"), "utf8");

/** Rows can also come from a `do` block, a function or a query: that is seen when they are there. */
async function refuseRows(client: pg.Client, files: readonly DeclaredFile[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(filledSql);
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name);
  const filling = findFilling(files, names);
  const [first, verb] =
    filling.length > 1
      ? ["One of these cannot be declared.", "may put"]
      : ["This cannot be declared.", "puts"];
  const reason = new Error(`this ${verb} rows into ${names.join(", ")}: ${rowsRefusal.reason}`);
  const places = filling.map(({ file, sql, statement }) =>
    formatFault(file, sql, reason, statement.codeStart),
  );
  throw new RowhouseError("declaration_refused", [first, ...places].join("\n"), rowsRefusal.remedy);
}

/** The statements that may have put rows into tables: those that name one, or else all that run something. */
function findFilling(files: readonly DeclaredFile[], tables: readonly string[]) {
  const running = files.flatMap(({ file, sql }) =>
    splitStatements(sql)
      .filter(({ tree }) => runsSomething(tree))
      .map((statement) => ({ file, sql, statement })),
  );
  const words = tables.map((name) => name.slice(name.lastIndexOf(".") + 1).replaceAll('"', ""));
  const naming = running.filter(({ statement }) =>
    words.some((word) => statement.text.includes(word)),
  );
  return naming.length > 0 ? naming : running;
}

/** Applies whole files; those that name something missing are left. */
async function applyFiles(client: pg.Client, root: string, files: readonly DeclaredFile[]) {
  const left: DeclaredFile[] = [];
  for (const one of files) {
    const error = await apply(client, one.sql);
    if (error === undefined) continue;
    if (!isMissing(error)) throw await createFileError(client, root, one, error);
    left.push(one);
  }
  return { left, done: files.length - left.length };
}

/** Applies the statements of each file up to the first that names something missing. */
async function applyStatements(client: pg.Client, root: string, files: readonly SplitFile[]) {
  const left: SplitFile[] = [];
  let done = 0;
  for (const one of files) {
    for (const [index, statement] of one.rest.entries()) {
      const error = await apply(client, statement.text);
      done += error === undefined ? 1 : 0;
      if (error === undefined) continue;
      movePosition(error, one.sql.slice(0, statement.start));
      if (!isMissing(error)) throw createError(root, one, error, statement);
      left.push({ ...one, rest: one.rest.slice(index), error });
      break;
    }
  }
  return { left, done };
}

function isMissing(error: unknown): boolean {
  return missingObject.has(errorCode(error) ?? "");
}

/** PostgreSQL counts from the start of the statement; in the file there is more before. */
function movePosition(error: unknown, before: string): void {
  if (error instanceof Error && "position" in error && error.position) {
    error.position = String(Number(error.position) + [...before].length);
  }
}

function createStuckError(root: string, stuck: readonly SplitFile[]): RowhouseError {
  const obstacle = findObstacle(stuck);
  if ("cause" in obstacle) {
    const { cause } = obstacle;
    const later = findNeededBelow(cause);
    if (later === undefined) return createError(root, cause, cause.error, cause.rest[0]);
    return new RowhouseError(
      "declaration_failed",
      `What is declared cannot be built.\n${formatFault(cause.file, cause.sql, cause.error, cause.rest[0]?.start)}`,
      `${cause.file} makes ${later} further below: move that up. If each needs the other, make one of them without, and add what needs it in a statement of its own below, like \`alter table ... add constraint\`.`,
      { cause: cause.error },
    );
  }
  const { cycle } = obstacle;
  const names = [...cycle, ...cycle.slice(0, 1)].map(({ from }) => from.file);
  return new RowhouseError(
    "declaration_failed",
    [
      `What is declared cannot be built: files need each other, ${names.join(" -> ")}.`,
      ...cycle.map(
        ({ from, object, to }) => `  ${from.file} needs ${object}, which ${to.file} makes`,
      ),
    ].join("\n"),
    "Break the circle: make one of them without the other, and add what needs it in a statement of its own below, like `alter table ... add constraint`.",
    { cause: cycle[0]?.from.error },
  );
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

async function createFileError(
  client: pg.Client,
  root: string,
  file: DeclaredFile,
  error: unknown,
): Promise<RowhouseError> {
  const statement =
    errorMessage(error) === endsTransaction
      ? splitStatements(file.sql).find(isTransactionCommand)
      : await failingStatement(client, file.sql);
  return createError(root, file, error, statement);
}

function createError(
  root: string,
  { file, sql }: DeclaredFile,
  error: unknown,
  statement: Statement | undefined,
): RowhouseError {
  const isTwin = alreadyThere.has(errorCode(error) ?? "");
  const twin = isTwin ? findTwin(root, file, statement) : undefined;
  return new RowhouseError(
    "declaration_failed",
    `What is declared cannot be built.\n${formatFault(file, sql, error, statement?.start)}`,
    twin === undefined ? findRemedy(error) : `${twin} declares it, too: take one of the two out.`,
    { cause: error },
  );
}

/** What to do about a file that PostgreSQL refuses, by the SQLSTATE. */
function findRemedy(error: unknown): string {
  if (errorCode(error) === stillUsed)
    return "Take the drop out: sql/ and policies/ say what there is, and what stands in no file is dropped by the next migration.";
  return "Correct the file, or add the one that declares what it names.";
}

/** SQLSTATE of "other objects depend on it". */
const stillUsed = "2BP01";

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
