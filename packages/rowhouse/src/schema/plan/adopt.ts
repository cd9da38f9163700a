import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import { listMigrations, type Migration, migrate, parseUp } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { type CatalogDifference, compareCatalogs, readCatalog } from "../catalog/catalog.ts";
import { findInseparable } from "./beside-rows.ts";
import { firstLine, listRowChanges } from "./row-changes.ts";

/** A migration that was recorded as applied without dbmate. */
interface AdoptedMigration {
  readonly file: string;
  /** How many of its statements were run: those that change rows. */
  readonly ran: number;
}

/** Says what was done with a migration at home. */
export function describeAdopted({ file, ran }: AdoptedMigration): string {
  const rows = ran === 0 ? "" : `ran its ${ran === 1 ? "change" : `${ran} changes`} of rows, and `;
  return `The home's database already has it: ${rows}marked ${file} as applied.`;
}

/**
 * Records migrations as applied that a database has already: on a dev database a change comes from
 * sql/ and policies/, and its migration is written afterwards. Rows do not come from there: what
 * changes them is run, where it is plain.
 *
 * @param url The dev database, as its owner.
 * @returns What was recorded; nothing when the database is not what they all build.
 * @throws RowhouseError adopt_refused when a change of rows fails, or depends on other statements of its
 *   migration; nothing is recorded then.
 */
export async function adoptMigrations(
  scratch: Scratch,
  url: string,
  dir: string,
): Promise<AdoptedMigration[]> {
  const pending = (await listMigrations(url, dir)).filter(({ applied }) => !applied);
  if (pending.length === 0) return [];
  const { missing, surplus } = await compareWithFiles(scratch, url, dir);
  if (missing.length + surplus.length > 0) return [];
  return withClient(url, async (client) => {
    await client.query("begin");
    const adopted: AdoptedMigration[] = [];
    for (const migration of pending)
      adopted.push({ file: migration.file, ran: await runRowChanges(client, migration, dir) });
    await recordVersions(
      client,
      pending.map(({ version }) => version),
    );
    await client.query("commit");
    return adopted;
  });
}

/** @returns How many statements it ran. */
async function runRowChanges(
  client: pg.ClientBase,
  { file, version }: Migration,
  dir: string,
): Promise<number> {
  const { sql } = parseUp(readFileSync(join(dir, file), "utf8"), file);
  const inseparable = findInseparable(sql);
  if (inseparable !== undefined) {
    throw new RowhouseError(
      "adopt_refused",
      `The home's database has what ${file} builds, but its changes of rows cannot be run there without this statement: ${firstLine(inseparable)} ...`,
      `Nothing was recorded. Write the changes of rows into a migration of their own, of plain statements; or do by hand what the file does to rows, ${describeRecording(version)}`,
    );
  }
  const changes = listRowChanges(sql);
  for (const statement of changes) {
    try {
      await client.query(statement.text);
    } catch (error) {
      throw new RowhouseError(
        "adopt_refused",
        `The home's database has what ${file} builds, but this change of rows in it fails there: ${firstLine(statement)} ...: ${errorMessage(error)}.`,
        `Nothing was recorded. Bring the rows to what they should be, ${describeRecording(version)}`,
        { cause: error },
      );
    }
  }
  return changes.length;
}

/** dbmate's table is not there before the first migration is recorded. */
function describeRecording(version: string): string {
  return `and record it, with \`npx rowhouse psql\`: create table if not exists public.schema_migrations (version varchar(128) primary key); insert into public.schema_migrations (version) values ('${version}');`;
}

/** As dbmate does, whose table it is; where it has to be made, its owner alone reaches it. */
async function recordVersions(client: pg.ClientBase, versions: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ isThere: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as "isThere"`,
  );
  if (!rows[0]?.isThere) await client.query(createTable);
  await client.query("insert into public.schema_migrations (version) select unnest($1::text[])", [
    versions,
  ]);
}

/** Default privileges of the schema may open it to all. */
const createTable = `
  create table public.schema_migrations (version varchar(128) primary key);
  do $$
  declare
    grantee text;
  begin
    for grantee in
      select distinct case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end
      from pg_catalog.pg_class
      cross join aclexplode(relacl) as acl
      where oid = 'public.schema_migrations'::regclass
      and acl.grantee <> relowner
    loop
      execute format('revoke all on public.schema_migrations from %s', grantee);
    end loop;
  end
  $$`;

/** How a database differs from what all migrations build. */
export async function compareWithFiles(
  scratch: Scratch,
  url: string,
  dir: string,
): Promise<CatalogDifference> {
  const built = await scratch.create();
  try {
    await migrate(built, undefined, dir);
    return compareCatalogs(await readCatalog(built), await readCatalog(url));
  } finally {
    await scratch.drop(built);
  }
}
