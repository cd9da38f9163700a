import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { resolveView } from "@supabase/pg-delta/policy";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import { migrate } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { type CatalogDifference, type CatalogEntry, compareCatalogs } from "../catalog/catalog.ts";
import { buildDeclared } from "../catalog/declared.ts";
import { findMarker, findRefusal, markerRefusal } from "../catalog/refused.ts";
import { quoteName } from "../catalog/sql.ts";
import { leaveBodiesUnchecked } from "../plan/bodies.ts";
import { effectiveDefaults } from "../plan/default-privileges.ts";
import { findOrder } from "../plan/fit.ts";
import { planChanges } from "../plan/plan.ts";
import { createIfMissing, readCatalogWithRoles, withoutRoles } from "../plan/roles.ts";
import { readSnapshot, type Snapshot } from "../plan/snapshot.ts";
import { baselineText } from "./baseline.ts";
import { withoutMissingMembers } from "./extensions.ts";
import { readExtras } from "./extras.ts";
import { distribute, findUndeclarable } from "./files.ts";
import { writeFiles } from "./folder.ts";
import { platforms, readStubs } from "./platforms.ts";
import { readParents, withoutChildren } from "./publications.ts";
import { type Omission, type Report, readmeText } from "./readme.ts";
import {
  readScratchFacts,
  readSetting,
  readSource,
  type Setting,
  type Source,
  type SourceOptions,
  toReadOnly,
} from "./source.ts";
import { packageJson, packageName, postgrestConf, readStarter } from "./starter.ts";
import { composeTables } from "./tables.ts";

/** A project that was made of a database, as it is in its draft. */
export interface DraftProject extends Report {
  /** The declared database, on a scratch server. */
  readonly declared: string;
  readonly schemas: readonly string[];
  /** The migration. */
  readonly file: string;
}

/** The servers that a project is tried on, each for one of its sides. */
export interface Servers {
  readonly migrated: Scratch;
  readonly declared: Scratch;
}

/** Writes what has to be there before a scratch server is opened for a project. */
export function beginProject(root: string, platform: string | undefined): void {
  mkdirSync(join(root, "db", "migrations"), { recursive: true });
  const stubs = findStubs(platform);
  if (stubs !== "") writeFiles(root, new Map([[`platform/${platform}.sql`, stubs]]));
}

function findStubs(platform: string | undefined): string {
  return platform !== undefined && platform in platforms ? readStubs(platform) : "";
}

/**
 * Writes a project of a database: sql/, policies/, the baseline and the configuration of PostgREST. Then it is
 * built both ways, and compared with the database.
 *
 * @param root The draft, which is the working directory.
 * @param target The folder that the project comes into.
 * @param url The database; it is only read.
 * @throws RowhouseError what `readSource` throws; declaration_failed, migration_failed when what was
 *   written cannot be built.
 */
export async function writeProject(
  { migrated, declared }: Servers,
  { root, target, url }: { readonly root: string; readonly target: string; readonly url: string },
  options: SourceOptions,
): Promise<DraftProject> {
  const reading = toReadOnly(url);
  const setting = await readSetting(reading, options, await readScratchFacts(migrated.serverUrl));
  writeStarter(root, target, setting);
  const read = await readSource(reading, setting);
  const stubs = findStubs(options.platform) + roleStubs(read.platformRoles);
  if (stubs !== "") writeFiles(root, new Map([[`platform/${options.platform}.sql`, stubs]]));
  const compared = await withoutMissingMembers(migrated, reading, read.snapshot);
  const source = { ...read, snapshot: compared.snapshot };
  const from = await readEmpty(migrated, source, stubs);
  const { statements, leftOut, notes } = await planFiles(
    reading,
    from,
    source,
    await readRunner(migrated),
  );
  const { order, failed } = await orderForMigration(migrated, statements, source);
  const text = baselineText(order, source.served, source.roles);
  const file = `${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}_baseline.sql`;
  writeFiles(root, new Map([[`db/migrations/${file}`, text]]));
  const built = await migrated.create();
  await migrate(built, undefined, join(root, "db", "migrations")).catch((error) => {
    throw createInexpressible(failed ? failed.error : error, failed?.sql);
  });
  const composed = composeTables(statements, source.columns);
  writeFiles(root, distribute(composed, source.relations));
  const url2 = await buildFiles(declared, root);
  const report = {
    notes: [...source.notes, ...compared.notes, ...notes],
    leftOut,
    difference: await compareAll(source, reading, [url2, built]),
  };
  writeFiles(root, new Map([["README.md", readmeText(packageName(target), report)]]));
  return { declared: url2, schemas: source.served.schemas, file, ...report };
}

/** How what was built differs from the database, its own roles included. */
async function compareAll(
  { roles, superusers }: Source,
  reading: string,
  built: readonly string[],
): Promise<CatalogDifference> {
  // They are made without that power; and postgres is a superuser of each server that Rowhouse starts.
  const compared = roles.filter((name) => !superusers.includes(name) && name !== "postgres");
  const read = (url: string) => withClient(url, (client) => readCatalogWithRoles(client, compared));
  const wanted = await read(reading);
  const differences = await Promise.all(
    built.map(async (url) => compareCatalogs(wanted, await read(url))),
  );
  return differences.reduce(union);
}

/** The roles of a platform that policies and owners name. */
function roleStubs(roles: readonly string[]): string {
  if (roles.length === 0) return "";
  const made = roles.map((name) => `${createIfMissing(`create role ${quoteName(name)}`)};\n`);
  return `\n-- Roles of the platform that policies or owners of this database name.\n${made.join("\n")}`;
}

/** An extension brings its comment. */
function isByExtension(sql: string): boolean {
  return sql.startsWith("comment on extension ");
}

/** What only a person makes, on each server: readSource names it. */
function isHandmade(sql: string): boolean {
  return /^((create|alter) (user mapping|subscription)|comment on subscription) /.test(sql);
}

function writeStarter(root: string, target: string, { served, platform }: Setting): void {
  const starter = readStarter();
  starter.set("package.json", packageJson(starter.get("package.json") ?? "{}", target, platform));
  starter.set("postgrest.conf", postgrestConf(served));
  writeFiles(root, starter);
}

/** A server that was there before may have the roles already: a new one has those of the stubs alone. */
async function readEmpty(
  scratch: Scratch,
  { roles: all, platform }: Source,
  stubs: string,
): Promise<Snapshot> {
  const roles = all.filter((name) => !stubs.includes(`create role ${name} `));
  const empty = await scratch.create();
  const snapshot = await readSnapshot(empty, { platform });
  await scratch.drop(empty);
  const names = [...roles];
  const facts = resolveView(snapshot.facts, {
    id: "roles",
    filter: [
      { match: { all: [{ kind: "role" }, { name: names }] }, action: "exclude" },
      {
        match: { all: [{ kind: "membership" }, { idField: { field: "role", glob: names } }] },
        action: "exclude",
      },
    ],
  });
  return { ...snapshot, facts, catalog: withoutRoles(snapshot.catalog, roles) };
}

/** The role that builds throwaway databases, as SQL writes it. */
async function readRunner({ serverUrl }: Scratch): Promise<string> {
  const { rows } = await withClient(serverUrl, (client) =>
    client.query<{ name: string }>("select quote_ident(current_user) as name"),
  );
  return rows[0]?.name ?? "";
}

/**
 * The statements of the files, those that no plan brings, and what neither can hold.
 *
 * @param runner The role that will build them.
 */
async function planFiles(
  reading: string,
  from: Snapshot,
  { snapshot: to, superusers, platformGrants }: Source,
  runner: string,
) {
  const extras = await withClient(reading, async (client) => {
    await client.query("set search_path = ''");
    return {
      ...(await readExtras(client, from.catalog, to.catalog, to.platform)),
      parents: await readParents(client),
    };
  });
  // The files are built in any order: an object may get what default privileges give, or not.
  const defaults = effectiveDefaults(from.privileges.defaults, to.privileges.defaults, runner);
  const planned = planChanges(from, to, undefined, { compact: false, defaults })
    .filter((sql) => !isByExtension(sql) && !isHandmade(sql))
    .map((sql) => withoutPower(sql, superusers))
    .map((sql) => withoutChildren(sql, extras.parents));
  const all = [...planned, ...extras.statements];
  const left = findUndeclarable(all, (tree) => findRefusal(tree)?.reason);
  const marked = all.filter((sql) => findMarker(sql) !== undefined);
  for (const sql of marked) left.set(sql, markerRefusal.reason);
  const leftOut: Omission[] = [
    ...[...left].map(([sql, reason]) => ({ statement: sql.split("\n", 1)[0] ?? "", reason })),
    ...platformGrants.map((sql) => ({
      statement: sql.replace(/\s+/g, " "),
      reason: "the role is the platform's",
    })),
  ];
  return { statements: without(all, left), leftOut, notes: extras.notes };
}

/** A role that is a superuser in the database is made, and is none. */
function withoutPower(sql: string, superusers: readonly string[]): string {
  const head = superusers
    .map((name) => `    create role ${quoteName(name)}`)
    .find((start) => sql.includes(`${start} `));
  if (head === undefined) return sql;
  const end = sql.indexOf(head) + head.length;
  return sql.slice(0, end) + sql.slice(end).replace(" superuser", "");
}

/** Tables keep the order of their columns; what they need comes before them, and foreign keys after. */
async function orderForMigration(
  scratch: Scratch,
  statements: readonly string[],
  { columns }: Source,
) {
  const composed = composeTables(statements, columns, { foreignKeys: false });
  const empty = await scratch.create();
  const found = await findOrder(empty, composed);
  await scratch.drop(empty);
  return found.failed === undefined ? found : { ...found, order: statements };
}

/** What the database holds, and PostgreSQL does not make again. */
function createInexpressible(error: unknown, sql?: string): RowhouseError {
  const [line] = sql?.split("\n", 1) ?? [];
  return new RowhouseError(
    "init_failed",
    `The database holds something that cannot be made again${line === undefined ? "" : `, ${line} ...`}: ${errorMessage(error)}`,
    "Nothing was written. Change that object in the database, or in a copy of it (pg_dump --schema-only) that you read instead.",
    { cause: error },
  );
}

function without(statements: readonly string[], left: ReadonlyMap<string, string>): string[] {
  return statements.filter((sql) => !left.has(sql));
}

/** Bodies are looked into, unless they name what only the search path of a caller finds. */
async function buildFiles(scratch: Scratch, root: string): Promise<string> {
  const url = await scratch.create();
  try {
    await buildDeclared(url, root);
    return url;
  } catch (error) {
    if (!(error instanceof RowhouseError)) throw error;
    const text = `-- Functions here name what only the search path of their caller finds, or what needs them.\n${leaveBodiesUnchecked};\n`;
    writeFiles(root, new Map([["sql/00_unchecked_bodies.sql", text]]));
    await scratch.drop(url);
    const again = await scratch.create();
    await buildDeclared(again, root).catch((error) => {
      throw createInexpressible(error);
    });
    return again;
  }
}

function union(one: CatalogDifference, other: CatalogDifference): CatalogDifference {
  const join = (some: readonly CatalogEntry[], others: readonly CatalogEntry[]) => [
    ...new Map([...some, ...others].map((entry) => [JSON.stringify(entry), entry])).values(),
  ];
  return { missing: join(one.missing, other.missing), surplus: join(one.surplus, other.surplus) };
}
