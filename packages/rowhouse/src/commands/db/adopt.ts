import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import { RowhouseError } from "../../lib/errors.ts";
import { print } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { findRefusal, rowsRefusal } from "../../schema/catalog/refused.ts";
import { splitStatements } from "../../schema/catalog/sql.ts";
import { adoptMigrations, compareWithFiles } from "../../schema/plan/adopt.ts";
import { withClient } from "../../stack/database.ts";
import { listMigrations } from "../../stack/dbmate.ts";
import { withDatabase } from "../../stack/embedded.ts";
import { getHome, openHome } from "../../stack/home.ts";
import { type Scratch, withScratch } from "../../stack/scratch.ts";
import { readSettings } from "../../stack/settings.ts";
import { parseDatabaseUrl } from "../options.ts";

/** `rowhouse db adopt` */
export const adoptCommand = new Command("adopt")
  .description("record the migrations as applied on a database that holds what they build")
  .requiredOption("--against <url>", "the database, as its owner", parseDatabaseUrl)
  .addHelpText(
    "after",
    "\nIt writes dbmate's table, public.schema_migrations, and nothing else; and only if nothing differs.",
  )
  .action(async ({ against: url }: { against: string }) => {
    const { migrationsDir: dir } = openProject();
    await withScratch(async (scratch) => {
      const pending = (await listMigrations(url, dir)).filter(({ applied }) => !applied);
      if (pending.length === 0) return print("Nothing to do: every migration is recorded.");
      await assertIsDbmates(url);
      for (const { file } of pending) assertNoRows(join(dir, file));
      const files = await adoptMigrations(scratch, url, dir);
      if (files.length === 0) throw await createRefusal(scratch, url, dir);
      for (const file of files) print(`recorded ${file} as applied`);
    });
  });

/** Other tools have a table of that name, too. */
async function assertIsDbmates(url: string): Promise<void> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ columns: string }>(
      `select string_agg(attname || ' ' || format_type(atttypid, null), ', ' order by attnum) as columns
      from pg_catalog.pg_attribute
      where attrelid = to_regclass('public.schema_migrations')
      and attnum > 0
      and not attisdropped`,
    ),
  );
  const columns = rows[0]?.columns ?? null;
  if (columns === null || columns === "version character varying") return;
  throw new RowhouseError(
    "adopt_refused",
    `public.schema_migrations is not dbmate's: its columns are ${columns}.`,
    "Nothing was written. Rename that table, if its tool allows it: dbmate keeps there what is applied.",
  );
}

/** Whether a migration's rows are there no comparison can say. */
function assertNoRows(path: string): void {
  const [up = ""] = readFileSync(path, "utf8").split(/^-- migrate:down/m);
  const statement = splitStatements(up).find(
    ({ tree }) => tree !== undefined && findRefusal(tree) === rowsRefusal,
  );
  if (statement === undefined) return;
  throw new RowhouseError(
    "adopt_refused",
    `${basename(path)} changes rows, and no comparison can tell whether that was done: ${statement.text.slice(statement.codeStart - statement.start).split("\n")[0]} ...`,
    "Nothing was written. Move the file away, run `npx rowhouse db adopt` again, put it back, and have `npx rowhouse migrate` run it.",
  );
}

async function createRefusal(scratch: Scratch, url: string, dir: string): Promise<RowhouseError> {
  const { describeDifference } = await import("../../schema/catalog/describe.ts");
  const lines = describeDifference(await compareWithFiles(scratch, url, dir));
  return new RowhouseError(
    "adopt_refused",
    ["The database (-) is not what db/migrations build (+):", ...lines].join("\n"),
    "Nothing was written. Bring the difference into sql/ and a migration, or change the database.",
  );
}

/**
 * Marks migrations as applied whose changes the home's database already has: `rowhouse dev` brought
 * it what they bring. A database that DATABASE_URL names is left alone.
 *
 * @returns The files that were noted.
 */
export async function adoptAtHome(scratch: Scratch): Promise<string[]> {
  const settings = readSettings();
  if (settings.databaseUrl || !existsSync(getHome(settings.home).passwordFile)) return [];
  return withDatabase(settings, openHome(settings.home), (url) =>
    adoptMigrations(scratch, url, settings.project.migrationsDir),
  );
}
