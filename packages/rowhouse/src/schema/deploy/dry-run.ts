import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { withClient } from "../../stack/database.ts";
import { listMigrations, migrate, parseUp } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { splitStatements } from "../catalog/sql.ts";

/** A lock on a table that is there before the migration. */
export interface Lock {
  readonly table: string;
  /** As PostgreSQL calls it: "AccessExclusiveLock". */
  readonly mode: string;
  /** What others cannot do meanwhile: "reads and writes"; empty when nothing. */
  readonly blocks: string;
}

/** A statement of a pending migration. */
export interface Step {
  readonly sql: string;
  /** The locks that it takes beyond those held before it; undefined when they cannot be seen. */
  readonly locks: readonly Lock[] | undefined;
}

/** A pending migration, tried on a copy of the schema. */
export interface Pending {
  readonly file: string;
  /** Whether it runs in a transaction, and so keeps its locks to its end. */
  readonly inTransaction: boolean;
  readonly steps: readonly Step[];
}

/** What each mode keeps others from: https://www.postgresql.org/docs/current/explicit-locking.html */
const blocked: Record<string, string> = {
  AccessExclusiveLock: "reads and writes",
  ExclusiveLock: "writes",
  ShareRowExclusiveLock: "writes",
  ShareLock: "writes",
  ShareUpdateExclusiveLock: "",
  RowExclusiveLock: "",
};

/** Looks at the copy before and after what is pending; it may put rows in. */
export interface Examination {
  readonly before: (url: string) => Promise<void>;
  readonly after: (url: string) => Promise<void>;
}

/**
 * Applies what is pending on an empty copy of a database, and notes which locks it takes. The
 * database itself is only read.
 *
 * @param examination Not called when nothing is pending.
 * @throws RowhouseError migration_failed when a migration fails on the copy.
 */
export async function tryPending(
  scratch: Scratch,
  url: string,
  dir = openProject().migrationsDir,
  examination?: Examination,
): Promise<Pending[]> {
  const migrations = await listMigrations(url, dir);
  const pending = migrations.filter(({ applied }) => !applied);
  if (pending.length === 0) return [];
  const copy = await scratch.create();
  try {
    await applyFiles(
      copy,
      migrations.filter(({ applied }) => applied).map(({ file }) => file),
      dir,
    );
    if (examination) await examineCopy(scratch, copy, examination.before);
    const tried = await withClient(copy, async (client) => {
      const steps: Pending[] = [];
      for (const { file } of pending) steps.push(await tryOne(client, file, dir));
      return steps;
    });
    await examination?.after(copy);
    return tried;
  } finally {
    await scratch.drop(copy);
  }
}

/** On a copy of the copy: rows could be in the way of what is pending. */
async function examineCopy(
  scratch: Scratch,
  copy: string,
  examine: Examination["before"],
): Promise<void> {
  const other = await scratch.create(copy);
  try {
    await examine(other);
  } finally {
    await scratch.drop(other);
  }
}

async function applyFiles(url: string, files: readonly string[], dir: string): Promise<void> {
  await withTemporaryFolder("migrations", async (some) => {
    for (const file of files) cpSync(join(dir, file), join(some, file));
    if (files.length > 0) await migrate(url, undefined, some);
  });
}

async function tryOne(client: pg.Client, file: string, dir: string): Promise<Pending> {
  const { sql, inTransaction } = parseUp(readFileSync(join(dir, file), "utf8"), file);
  const before = await tablesThere(client);
  const steps: Step[] = [];
  let held: readonly string[] = [];
  if (inTransaction) await client.query("begin");
  for (const { text } of splitStatements(sql)) {
    await runOn(client, file, text);
    const locks = inTransaction ? await locksHeld(client, before) : undefined;
    steps.push({ sql: text, locks: locks?.filter((lock) => !held.includes(getKey(lock))) });
    held = locks?.map(getKey) ?? [];
  }
  if (inTransaction) await client.query("commit");
  return { file, inTransaction, steps };
}

async function runOn(client: pg.Client, file: string, sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    throw new RowhouseError(
      "migration_failed",
      `${file} fails on an empty copy of the database: ${errorMessage(error)}. The statement:\n${sql}`,
      "The database itself was only read. Correct the migration; if it needs rows to be there, it cannot be tried this way.",
      { cause: error },
    );
  }
}

async function tablesThere(client: pg.Client): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<{ oid: number }>("select oid::integer from pg_class");
  return new Set(rows.map(({ oid }) => oid));
}

const locksSql = readFileSync(join(import.meta.dirname, "locks.sql"), "utf8");

async function locksHeld(client: pg.Client, there: ReadonlySet<number>): Promise<Lock[]> {
  const { rows } = await client.query<{ oid: number; table: string; mode: string }>(locksSql);
  return rows
    .filter(({ oid, mode }) => there.has(oid) && mode in blocked)
    .map(({ table, mode }) => ({ table, mode, blocks: blocked[mode] ?? "" }));
}

function getKey({ table, mode }: Lock): string {
  return `${mode} ${table}`;
}
