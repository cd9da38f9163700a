import type pg from "pg";
import { withClient } from "../../stack/database.ts";
import { listMigrations, migrate } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { type CatalogDifference, compareCatalogs, readCatalog } from "../catalog/catalog.ts";

/**
 * Notes migrations as applied that a database has already: on a dev database a change comes from
 * sql/ and policies/, and its migration is written afterwards.
 *
 * @param url The dev database, as its owner.
 * @returns The files that were noted; none when the database is not what they all build.
 */
export async function adoptMigrations(
  scratch: Scratch,
  url: string,
  dir: string,
): Promise<string[]> {
  const pending = (await listMigrations(url, dir)).filter(({ applied }) => !applied);
  if (pending.length === 0) return [];
  const { missing, surplus } = await compareWithFiles(scratch, url, dir);
  if (missing.length + surplus.length > 0) return [];
  const versions = pending.map(({ version }) => version);
  await withClient(url, (client) => recordVersions(client, versions));
  return pending.map(({ file }) => file);
}

/** As dbmate does, whose table it is; where it has to be made, its owner alone reaches it. */
async function recordVersions(client: pg.ClientBase, versions: readonly string[]): Promise<void> {
  await client.query("begin");
  const { rows } = await client.query<{ isThere: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as "isThere"`,
  );
  if (!rows[0]?.isThere) await client.query(createTable);
  await client.query("insert into public.schema_migrations (version) select unnest($1::text[])", [
    versions,
  ]);
  await client.query("commit");
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
