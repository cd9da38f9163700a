import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { withClient } from "./database.ts";
import { listMigrations, type Migration } from "./dbmate.ts";

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
  if (pending === undefined || others.length > 0 || !isBaseline(dir, pending)) return undefined;
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

/**
 * Makes sure that so many migrations can be rolled back, before the first of them is.
 *
 * @param steps How many; infinite for all.
 * @throws RowhouseError migration_failed when fewer are applied, or the baseline is among them
 */
export async function assertRollable(
  url: string,
  steps: number,
  dir = openProject().migrationsDir,
): Promise<void> {
  const migrations = await listMigrations(url, dir);
  const applied = migrations.filter((one) => one.applied);
  const baseline = applied.find((one) => isBaseline(dir, one));
  const after = baseline === undefined ? applied : applied.slice(applied.indexOf(baseline) + 1);
  const isAll = baseline === undefined && (applied.length === 0 || !Number.isFinite(steps));
  if (isAll || steps <= after.length) return;
  throw new RowhouseError(
    "migration_failed",
    baseline === undefined
      ? `${applied.length} of ${migrations.length} migrations are applied, and ${steps} were to be rolled back.`
      : `${baseline.file} is the baseline, and the baseline is not rolled back: it would drop every table.`,
    `Nothing was rolled back. ${after.length === 0 ? "No other migration is applied." : `Give at most ${after.length}.`}`,
  );
}

function isBaseline(dir: string, { file }: Migration): boolean {
  return readFileSync(join(dir, file), "utf8").startsWith(baselineStart);
}
