import { Command } from "commander";
import { note, printResult } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { compareCatalogs, readCatalog } from "../../schema/catalog/catalog.ts";
import { describeDifference } from "../../schema/catalog/describe.ts";
import { type History, readHistory } from "../../schema/catalog/history.ts";
import { describeVersions } from "../../schema/catalog/versions.ts";
import { migrate } from "../../stack/dbmate.ts";
import { withScratch, withScratchPair } from "../../stack/scratch.ts";
import { parseDatabaseUrl } from "../options.ts";

/** `rowhouse db check` */
export const checkCommand = new Command("check")
  .description("check that db/migrations builds what sql/ and policies/ declare; silent if it does")
  .option(
    "--against <url>",
    "check this database against its applied migrations instead; it is only read",
    parseDatabaseUrl,
  )
  .option("--json", "for programs")
  .addHelpText("after", "\nThe exit code is 1 when something differs.")
  .action(async ({ against, json }: { against?: string; json?: true }) => {
    const [result, lines] = against ? await checkDatabase(against) : await checkSides();
    printResult(result, json, () => lines);
    if (lines.length === 0) return;
    process.exitCode = 1;
    if (!against && !json) note("`rowhouse db migration <name>` writes the missing migration.");
  });

/** @returns The difference, and the lines that describe it: none when there is none. */
async function checkSides(): Promise<[result: object, lines: string[]]> {
  const { buildDeclared } = await import("../../schema/catalog/declared.ts");
  return withScratchPair(async (first, second) => {
    const [migrated, declared] = await Promise.all([first.create(), second.create()]);
    // All is built before anything is read: with SCRATCH_URL they share the roles of one server.
    await Promise.all([migrate(migrated), buildDeclared(declared)]);
    const sides = await Promise.all([readCatalog(declared), readCatalog(migrated)]);
    const difference = compareCatalogs(...sides);
    const changes = describeDifference(difference);
    const title = "db/migrations (-) and sql/ with policies/ (+) build different databases:";
    return [difference, changes.length > 0 ? [title, ...changes] : []];
  });
}

async function checkDatabase(url: string): Promise<[result: object, lines: string[]]> {
  const history = await withScratch((scratch) =>
    readHistory(scratch, url, openProject().migrationsDir),
  );
  return [history, describeHistory(history)];
}

function describeHistory({ drift, ...versions }: History): string[] {
  return [
    ...describeVersions(versions),
    ...drift.flatMap(({ file, difference }) => [
      file
        ? `${file} (+) differs from the database (-): edited after it was applied, or changed by hand.`
        : "No migration created this: it was created by hand.",
      ...describeDifference(difference),
    ]),
  ];
}
