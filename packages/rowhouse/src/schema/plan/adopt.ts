import { withClient } from "../../stack/database.ts";
import { listMigrations, migrate } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { areEqual, readCatalog } from "../catalog/catalog.ts";

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
  if (pending.length === 0 || !(await isBuiltBy(scratch, url, dir))) return [];
  const versions = pending.map(({ version }) => version);
  await withClient(url, (client) =>
    client.query("insert into public.schema_migrations (version) select unnest($1::text[])", [
      versions,
    ]),
  );
  return pending.map(({ file }) => file);
}

async function isBuiltBy(scratch: Scratch, url: string, dir: string): Promise<boolean> {
  const built = await scratch.create();
  try {
    await migrate(built, undefined, dir);
    return areEqual(await readCatalog(built), await readCatalog(url));
  } finally {
    await scratch.drop(built);
  }
}
