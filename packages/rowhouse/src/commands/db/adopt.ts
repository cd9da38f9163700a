import { existsSync } from "node:fs";
import { Command } from "commander";
import { RowhouseError } from "../../lib/errors.ts";
import { print } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { adoptMigrations, compareWithFiles } from "../../schema/plan/adopt.ts";
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
      const files = await adoptMigrations(scratch, url, dir);
      if (files.length === 0) throw await createRefusal(scratch, url, dir);
      for (const file of files) print(`recorded ${file} as applied`);
    });
  });

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
