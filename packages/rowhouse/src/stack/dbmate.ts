import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { findDbmate } from "./binaries.ts";
import { withClient } from "./database.ts";
import {
  defaultLockRetries,
  type LockRetries,
  retryOnLock,
  withLockTimeout,
} from "./lock-retries.ts";

const run = promisify(execFile);

/** "rowhouse" as ASCII, cut to what a bigint holds: the advisory lock of all our migrations. */
export const migrationLock = "8245939566";

/** Why nothing happens for a while: for `onWait`. */
export const waitingText = "Another migration is running: waiting for it to end.";

/** A migration file, and whether the database has it. */
export interface Migration {
  /** The file's timestamp, which dbmate keeps in schema_migrations. */
  readonly version: string;
  readonly file: string;
  readonly applied: boolean;
}

/** All migrations in order, applied or pending. */
export async function listMigrations(
  url: string,
  dir = openProject().migrationsDir,
): Promise<Migration[]> {
  return readMigrations(dir, await withClient(url, readAppliedVersions));
}

/** The migration files in order, for a database that records some versions as applied. */
export function readMigrations(dir: string, recorded: readonly string[]): Migration[] {
  const applied = new Set(recorded);
  return migrationFiles(dir).map((file) => {
    const version = toVersion(file);
    return { version, file, applied: applied.has(version) };
  });
}

/**
 * Applies all pending migrations with dbmate. Two at once take turns: the second finds
 * nothing left to do. One that cannot get a lock gives up soon, and is tried again.
 *
 * @param url The database, as its owner, directly and not through a transaction pooler.
 * @param onWait Called when another migration runs and this one has to wait.
 * @returns The files that were applied.
 * @throws RowhouseError migration_failed, database_unreachable, database_refused
 */
export async function migrate(
  url: string,
  onWait = () => {},
  dir = openProject().migrationsDir,
  lockRetries = defaultLockRetries,
): Promise<string[]> {
  return withMigrationLock(url, onWait, async (client) => {
    const before = new Set(await readAppliedVersions(client));
    if (before.size === 0) await assertNoneElsewhere(client, dir);
    await dbmate(url, "up", dir, lockRetries);
    return migrationFiles(dir).filter((file) => !before.has(toVersion(file)));
  });
}

/**
 * Takes back the newest migrations.
 *
 * @param steps How many at the most.
 * @returns The versions that were taken back, newest first.
 * @throws RowhouseError migration_failed, database_unreachable, database_refused
 */
export async function rollback(
  url: string,
  steps: number,
  onWait = () => {},
  dir = openProject().migrationsDir,
  lockRetries = defaultLockRetries,
): Promise<string[]> {
  return withMigrationLock(url, onWait, async (client) => {
    const applied = (await readAppliedVersions(client)).reverse().slice(0, steps);
    for (const _ of applied) await dbmate(url, "rollback", dir, lockRetries);
    return applied;
  });
}

function toVersion(file: string): string {
  return file.split("_")[0] ?? file;
}

/** The names of the files that dbmate takes for migrations, in order. */
export function migrationFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => /^\d+_.*\.sql$/.test(name))
    .sort();
}

/**
 * Before its table was in public whatever the search path is, dbmate may have recorded the same files
 * in another schema. Other programs have such a table, too, with versions of their own.
 *
 * @throws RowhouseError migration_failed
 */
async function assertNoneElsewhere(client: pg.Client, dir: string): Promise<void> {
  const versions = migrationFiles(dir).map(toVersion);
  for (const table of await listSimilarTables(client)) {
    const { rowCount } = await client.query(
      `select from ${table} where version = any ($1) limit 1`,
      [versions],
    );
    if (rowCount === 0) continue;
    throw new RowhouseError(
      "migration_failed",
      `public.schema_migrations records no migration, and ${table} does: all would be applied again.`,
      `Nothing was applied. If ${table} is this project's, copy what it records, with \`npx rowhouse psql\` or psql: create table if not exists public.schema_migrations (version varchar(128) primary key); insert into public.schema_migrations (version) select version from ${table};`,
    );
  }
}

/** The tables elsewhere that have dbmate's name and column, as SQL writes them. */
async function listSimilarTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    join pg_catalog.pg_attribute on attrelid = pg_class.oid
    where relname = 'schema_migrations'
    and relkind = 'r'
    and nspname <> 'public'
    and attnum > 0
    and not attisdropped
    and has_schema_privilege(pg_namespace.oid, 'usage')
    and has_table_privilege(pg_class.oid, 'select')
    group by nspname, relname
    having array_agg(attname || ' ' || atttypid::regtype) = array['version character varying']
    order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** The versions that a database records as applied, in order. */
export async function readAppliedVersions(client: pg.Client): Promise<string[]> {
  try {
    const { rows } = await client.query<{ version: string }>(
      "select version from public.schema_migrations order by version",
    );
    return rows.map(({ version }) => version);
  } catch (error) {
    if (errorCode(error) === "42P01") return []; // No migration has ever run here.
    throw error;
  }
}

async function withMigrationLock<T>(
  url: string,
  onWait: () => void,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ taken: boolean }>(
      "select pg_try_advisory_lock($1) as taken",
      [migrationLock],
    );
    if (rows[0]?.taken !== true) {
      onWait();
      await client.query("select pg_advisory_lock($1)", [migrationLock]);
    }
    return await work(client); // The lock ends with the connection.
  });
}

async function dbmate(
  url: string,
  command: "up" | "rollback",
  dir: string,
  lockRetries: LockRetries,
): Promise<void> {
  const program = findDbmate();
  // A search path that a database or role is given would lead elsewhere.
  const table = ["--migrations-table", "public.schema_migrations"];
  const args = ["--migrations-dir", dir, ...table, "--no-dump-schema", command];
  // In the environment and not in the arguments: those can be read by every user of the machine.
  const target = withLockTimeout(withSslMode(url), lockRetries.lockTimeout);
  const env = { ...process.env, DATABASE_URL: target };
  let leavesNothing = true;
  const attempt = async () => {
    try {
      await run(program, args, { cwd: dir, env });
    } catch (error) {
      const failure = readFailure(error, dir);
      leavesNothing = failure.leavesNothing;
      throw toMigrationError(failure, error);
    }
  };
  await retryOnLock(lockRetries, attempt, () => leavesNothing);
}

/** dbmate's driver demands TLS by default, while ours does not: so the URL always says which. */
function withSslMode(url: string): string {
  const explicit = new URL(url);
  if (!explicit.searchParams.has("sslmode")) explicit.searchParams.set("sslmode", "disable");
  return explicit.href;
}

const nothingLeft =
  "Each migration runs in a transaction: the failed one was rolled back, what was done before it stays.";

const somethingLeft =
  "This one runs outside a transaction: the statements before the failed one stay. docs/operations.md shows how to continue.";

const roleThere =
  "Roles belong to the server, and another database on it may have made this one: create it in a `do` block, if it is not in pg_roles. ";

/** What dbmate says of its end. */
interface Failure {
  /** What it was doing, as in "Applying: 20261125090000_request.sql"; undefined before the first. */
  readonly step: string | undefined;
  readonly reason: string;
  /** Whether the migration that failed was rolled back. */
  readonly leavesNothing: boolean;
}

function readFailure(error: unknown, dir: string): Failure {
  const { stdout, stderr } = error as { stdout?: string; stderr?: string };
  const step = stdout?.match(/^(?:Applying|Rolling back): (.*)$/gm)?.at(-1);
  const file = step?.replace(/^.*: /, "");
  return {
    step,
    reason: stderr?.trim() || errorMessage(error),
    leavesNothing: file === undefined || !isOutsideTransaction(join(dir, file)),
  };
}

function toMigrationError({ step, reason, leavesNothing }: Failure, cause: unknown): RowhouseError {
  const again = step?.startsWith("Rolling back")
    ? "Correct it and roll back again."
    : "Correct it and migrate again.";
  return new RowhouseError(
    "migration_failed",
    `dbmate failed${step ? ` (${step})` : ""}: ${reason}`,
    (/role "[^"]*" already exists/.test(reason) ? roleThere : "") +
      (leavesNothing ? `${nothingLeft} ${again}` : somethingLeft),
    { cause },
  );
}

/** Whether a migration asks dbmate not to run it in a transaction, up or down. */
function isOutsideTransaction(path: string): boolean {
  return splitParts(readFileSync(path, "utf8")).some(({ inTransaction }) => !inTransaction);
}

/**
 * The part of a migration that dbmate applies, and whether it does so in a transaction.
 *
 * @param file The name of its file.
 * @throws RowhouseError migration_failed when it has no such part.
 */
export function parseUp(migration: string, file: string): { sql: string; inTransaction: boolean } {
  const up = splitParts(migration).find(({ isUp }) => isUp);
  if (up === undefined) {
    throw new RowhouseError(
      "migration_failed",
      `${file} has no part that dbmate would apply: no line in it is \`-- migrate:up\`.`,
      "Write that line above what it does, and `-- migrate:down` above what takes it back.",
    );
  }
  return { sql: up.sql, inTransaction: up.inTransaction };
}

interface Part {
  readonly isUp: boolean;
  readonly sql: string;
  readonly inTransaction: boolean;
}

/** At the lines that dbmate splits at: there may be no blank in them. */
function splitParts(migration: string): Part[] {
  const markers = [...migration.matchAll(/^--\s*migrate:(up|down)(?=\s|$(?![\s\S]))(.*\n?)/gm)];
  return markers.map(({ 0: line, 1: kind, 2: options = "", index }, at) => ({
    isUp: kind === "up",
    sql: migration.slice(index + line.length, markers[at + 1]?.index),
    inTransaction: !/\stransaction:false(?!\S)/.test(options),
  }));
}
