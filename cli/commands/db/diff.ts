import { Command } from "commander";
import { print, printExactly } from "../../output.ts";
import { migrationsDir, projectRoot } from "../../project.ts";
import { withScratch, withScratchPair } from "../../stack/scratch.ts";
import { parseDatabaseUrl } from "../options.ts";

/** `rowhouse db diff` */
export const diffCommand = new Command("diff")
  .description("print the SQL that leads from db/migrations to sql/ and policies/; writes nothing")
  .option("--against <url>", "start from this database instead: it is only read", parseDatabaseUrl)
  .action(async ({ against }: { against?: string }) => {
    const { coloured } = await import("../../diff/colour.ts");
    const { hazards, up } = against ? await fromDatabase(against) : await fromMigrations();
    for (const { says } of hazards) print(coloured(`-- Mind: ${says}`));
    if (up.length > 0) printExactly(up.map((sql) => coloured(`${sql};`)).join("\n\n"));
  });

async function fromMigrations() {
  const { draftMigration } = await import("../../diff/migration.ts");
  const draft = await withScratchPair((migrated, declared) =>
    draftMigration({ root: projectRoot, dir: migrationsDir, migrated, declared }, "diff"),
  );
  return draft ?? { hazards: [], up: [] };
}

async function fromDatabase(url: string) {
  const { buildDeclared } = await import("../../catalog/declared.ts");
  const { areEqual } = await import("../../catalog/catalog.ts");
  const { withOwnerOf } = await import("../../diff/owner.ts");
  const { hazardsBetween } = await import("../../diff/hazards.ts");
  const { planChanges } = await import("../../diff/plan.ts");
  const { readSide } = await import("../../diff/side.ts");
  const { declaredSources } = await import("../../diff/sources.ts");
  return withScratch(async (scratch) => {
    const declared = await scratch.create();
    await buildDeclared(await withOwnerOf(url, declared), projectRoot);
    const [from, to] = [await readSide(url), await readSide(declared)];
    if (areEqual(from.catalog, to.catalog)) return { hazards: [], up: [] };
    const up = planChanges(from, to, declaredSources(projectRoot));
    return { hazards: hazardsBetween(from.catalog, to.catalog, up), up };
  });
}
