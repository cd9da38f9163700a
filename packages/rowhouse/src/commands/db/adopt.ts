import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import { RowhouseError } from "../../lib/errors.ts";
import { print } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { adoptMigrations, compareWithFiles, describeAdopted } from "../../schema/plan/adopt.ts";
import { firstLine, listRowChanges } from "../../schema/plan/row-changes.ts";
import { withClient } from "../../stack/database.ts";
import { listMigrations, parseUp } from "../../stack/dbmate.ts";
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
      const adopted = await adoptMigrations(scratch, url, dir);
      if (adopted.length === 0) throw await createRefusal(scratch, url, dir);
      for (const { file } of adopted) print(`recorded ${file} as applied`);
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
  const [statement] = listRowChanges(parseUp(readFileSync(path, "utf8"), basename(path)).sql);
  if (statement === undefined) return;
  throw new RowhouseError(
    "adopt_refused",
    `${basename(path)} changes rows, or may, and no comparison can tell whether that was done: ${firstLine(statement)} ...`,
    "Nothing was written. Move the file away, run `npx rowhouse db adopt` again, put it back, and have `npx rowhouse migrate` run it.",
  );
}

/** As many objects as a person reads; with more of them it is not a change that was forgotten. */
const shown = 20;

async function createRefusal(scratch: Scratch, url: string, dir: string): Promise<RowhouseError> {
  const { describeDifference } = await import("../../schema/catalog/describe.ts");
  const lines = describeDifference(await compareWithFiles(scratch, url, dir));
  // What is of an object stands below it, and further in.
  const starts = lines.flatMap((line, index) => (/^ {2}\S/.test(line) ? [index] : []));
  const more = starts.length - shown;
  const title = "The database (-) is not what db/migrations build (+):";
  const text =
    more > 0
      ? [
          `This looks like another database: ${starts.length} objects differ. ${title}`,
          ...lines.slice(0, starts[shown]),
          `  ... and ${more} more.`,
        ]
      : [title, ...lines];
  return new RowhouseError(
    "adopt_refused",
    text.join("\n"),
    more > 0
      ? "Nothing was written. Check the URL; or bring the difference into sql/ and a migration."
      : "Nothing was written. Bring the difference into sql/ and a migration, or change the database.",
  );
}

/**
 * Marks migrations as applied whose changes the home's database already has: `rowhouse dev` brought
 * it what they bring. A database that DATABASE_URL names is left alone.
 *
 * @returns What was done with each, in a sentence.
 */
export async function adoptAtHome(scratch: Scratch): Promise<string[]> {
  const settings = readSettings();
  if (settings.databaseUrl || !existsSync(getHome(settings.home).passwordFile)) return [];
  const adopted = await withDatabase(settings, openHome(settings.home), (url) =>
    adoptMigrations(scratch, url, settings.project.migrationsDir),
  );
  return adopted.map(describeAdopted);
}
