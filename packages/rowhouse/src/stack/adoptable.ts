import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openProject } from "../lib/project.ts";
import { withClient } from "./database.ts";
import { listMigrations } from "./dbmate.ts";

/** How the first migration of a project begins that `rowhouse init` made. */
export const baselineStart = "-- What the database held when this project was made of it";

/** What to do where `findAdoptable` finds something. */
export const adoptRemedy =
  "If this is the database that it was made of, run `npx rowhouse db adopt --against <url>`, which records it as applied.";

/**
 * Finds the migration that `rowhouse init` made, where it is all that is pending and the database has objects
 * already: dbmate would make them a second time.
 *
 * @returns The file.
 */
export async function findAdoptable(
  url: string,
  dir = openProject().migrationsDir,
): Promise<string | undefined> {
  const migrations = await listMigrations(url, dir);
  const [pending, ...others] = migrations.filter(({ applied }) => !applied);
  if (pending === undefined || others.length > 0) return undefined;
  if (!readFileSync(join(dir, pending.file), "utf8").startsWith(baselineStart)) return undefined;
  const { rows } = await withClient(url, (client) =>
    client.query(
      `select
      from pg_catalog.pg_class
      where oid >= 16384
      and relkind in ('r', 'p', 'v', 'm', 'f')
      and relname <> 'schema_migrations'
      and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
      and not exists (select from pg_catalog.pg_depend where objid = pg_class.oid and deptype = 'e')
      limit 1`,
    ),
  );
  return rows.length > 0 ? pending.file : undefined;
}
