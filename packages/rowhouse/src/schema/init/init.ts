import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { resolveView } from "@supabase/pg-delta/policy";
import { RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import { migrate } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import {
  type CatalogDifference,
  type CatalogEntry,
  compareCatalogs,
  readCatalog,
} from "../catalog/catalog.ts";
import { buildDeclared } from "../catalog/declared.ts";
import { findMarker, findRefusal, markerRefusal } from "../catalog/refused.ts";
import { leaveBodiesUnchecked } from "../plan/bodies.ts";
import { findOrder } from "../plan/fit.ts";
import { grantStatements } from "../plan/grants.ts";
import { planChanges } from "../plan/plan.ts";
import { withoutRoles } from "../plan/roles.ts";
import { readSnapshot, type Snapshot } from "../plan/snapshot.ts";
import { baselineText } from "./baseline.ts";
import { readExtras } from "./extras.ts";
import { distribute, findUndeclarable } from "./files.ts";
import { writeFiles } from "./folder.ts";
import { platforms, readStubs } from "./platforms.ts";
import {
  readSetting,
  readSource,
  type Setting,
  type Source,
  type SourceOptions,
  toReadOnly,
} from "./source.ts";
import { packageJson, postgrestConf, readStarter } from "./starter.ts";
import { composeTables } from "./tables.ts";

/** A project that was made of a database, as it is in its draft. */
export interface Adopted {
  /** The declared database, on a scratch server. */
  readonly declared: string;
  readonly schemas: readonly string[];
  /** The migration. */
  readonly file: string;
  /** Lines about what was left out or is worth knowing. */
  readonly notes: readonly string[];
  /** How what the files build differs from the database; empty as a rule. */
  readonly difference: CatalogDifference;
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
 * Writes a project of a database: sql/, policies/, the baseline and what PostgREST is told. Then it is
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
): Promise<Adopted> {
  const reading = toReadOnly(url);
  const available = await listAvailable(migrated.serverUrl);
  const setting = await readSetting(reading, options, available);
  writeStarter(root, target, setting);
  const source = await readSource(reading, setting);
  const from = await readEmpty(migrated, source, findStubs(options.platform));
  const { statements, left, notes } = await planFiles(reading, from, source);
  const ordered = await orderForMigration(migrated, statements, source);
  const text = baselineText(ordered, source.served, source.roles);
  const file = `${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}_baseline.sql`;
  writeFiles(root, new Map([[`db/migrations/${file}`, text]]));
  const built = await migrated.create();
  await migrate(built, undefined, join(root, "db", "migrations"));
  const composed = composeTables(statements, source.columns);
  writeFiles(root, distribute(composed, source.relations));
  const url2 = await buildFiles(declared, root);
  const now = await readCatalog(reading);
  return {
    declared: url2,
    schemas: source.served.schemas,
    file,
    notes: [
      ...source.notes,
      ...notes,
      ...[...left].map(([sql, reason]) => `Left out, since ${reason}: ${sql.split("\n")[0]}`),
    ],
    difference: union(
      compareCatalogs(now, await readCatalog(url2)),
      compareCatalogs(now, await readCatalog(built)),
    ),
  };
}

/** An extension brings its comment. */
function isByExtension(sql: string): boolean {
  return sql.startsWith("comment on extension ");
}

async function listAvailable(serverUrl: string): Promise<Set<string>> {
  const { rows } = await withClient(serverUrl, (client) =>
    client.query<{ name: string }>("select name from pg_catalog.pg_available_extensions"),
  );
  return new Set(rows.map(({ name }) => name));
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

/** The statements of the files, those that no plan brings, and what neither can hold. */
async function planFiles(reading: string, from: Snapshot, { snapshot: to }: Source) {
  const extras = await withClient(reading, async (client) => {
    await client.query("set search_path = ''");
    return readExtras(client, from.catalog, to.catalog, to.platform);
  });
  const planned = planChanges(from, to, undefined, { compact: false }).filter(
    (sql) => !isByExtension(sql),
  );
  const all = [...withDefaultsFirst(planned, from, to), ...extras.statements];
  const left = findUndeclarable(all, (tree) => findRefusal(tree)?.reason);
  const marked = all.filter((sql) => findMarker(sql) !== undefined);
  for (const sql of marked) left.set(sql, markerRefusal.reason);
  return { statements: without(all, left), left, notes: extras.notes };
}

/** Tables keep the order of their columns; what they need comes before them, and foreign keys after. */
async function orderForMigration(
  scratch: Scratch,
  statements: readonly string[],
  { columns }: Source,
): Promise<readonly string[]> {
  const composed = composeTables(statements, columns, { foreignKeys: false });
  const empty = await scratch.create();
  const order = await findOrder(empty, composed);
  await scratch.drop(empty);
  return order ?? statements;
}

/**
 * The files are built in any order: what default privileges give to objects that come after them has to
 * be taken from those that should not have it.
 */
function withDefaultsFirst(planned: readonly string[], from: Snapshot, to: Snapshot): string[] {
  const before = { ...from.privileges, defaults: to.privileges.defaults };
  const more = grantStatements(before, to.privileges).filter((sql) => !planned.includes(sql));
  const place = planned.findIndex((sql) => /^(grant|revoke)\b[\s\S]*\bon\b/.test(sql));
  return planned.toSpliced(place < 0 ? planned.length : place, 0, ...more);
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
    await buildDeclared(again, root);
    return again;
  }
}

function union(one: CatalogDifference, other: CatalogDifference): CatalogDifference {
  const join = (some: readonly CatalogEntry[], others: readonly CatalogEntry[]) => [
    ...new Map([...some, ...others].map((entry) => [JSON.stringify(entry), entry])).values(),
  ];
  return { missing: join(one.missing, other.missing), surplus: join(one.surplus, other.surplus) };
}
