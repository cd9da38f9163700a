import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { Command } from "commander";
import { RowhouseError } from "../lib/errors.ts";
import { note, print } from "../lib/output.ts";
import { withClient } from "../stack/database.ts";
import { withExistingDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readPostgrestConf } from "../stack/postgrest-conf.ts";
import { readSettings } from "../stack/settings.ts";

/** `rowhouse types` */
export const typesCommand = new Command("types")
  .description("write the client's types from the database")
  .option("-o, --output <file>", "where to, instead of client/database.types.ts")
  .option("--check", "write nothing; fail when the file is stale")
  .action(async ({ output: given, check }: { output?: string; check?: true }) => {
    const settings = readSettings();
    const output = given ?? settings.project.typesFile;
    // Loaded here, since the generator takes longer to load than all the rest together.
    const { generateTypes } = await import("../schema/types.ts");
    const types = await withExistingDatabase(settings, openHome(settings.home), async (url) => {
      await assertMigrated(url, readPostgrestConf(settings.project.postgrestConf).schemas);
      await reportVersions(url, settings.project.migrationsDir);
      return generateTypes(url);
    });
    const shown = relative(process.cwd(), output);
    if (existsSync(output) && readFileSync(output, "utf8") === types) {
      print(`${shown} is current.`);
      return;
    }
    if (check) {
      throw new RowhouseError(
        "types_stale",
        `${shown} does not match the database.`,
        "Run `npx rowhouse types` and commit the file.",
      );
    }
    writeFileSync(output, types);
    print(`wrote ${shown}`);
  });

/** @throws RowhouseError database_not_migrated when a schema is missing that PostgREST serves. */
async function assertMigrated(url: string, schemas: readonly string[]): Promise<void> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string }>(
      "select name from unnest($1::text[]) as name where not exists (select from pg_namespace where nspname = name)",
      [schemas],
    ),
  );
  const [missing] = rows;
  if (missing === undefined) return;
  throw new RowhouseError(
    "database_not_migrated",
    `The database has no schema ${missing.name}, which postgrest.conf names.`,
    "Run `npx rowhouse migrate`, or `npm start`, which does it too.",
  );
}

/** A migration that is not applied is not in the types: who forgot that would think it is. */
async function reportVersions(url: string, migrationsDir: string): Promise<void> {
  const { readVersions } = await import("../schema/catalog/history.ts");
  const { describeVersions } = await import("../schema/catalog/versions.ts");
  for (const line of describeVersions(await readVersions(url, migrationsDir))) note(line);
}
