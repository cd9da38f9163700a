import { Command } from "commander";
import { print, printExactly } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import { withScratch, withScratchPair } from "../../stack/scratch.ts";
import { parseDatabaseUrl } from "../options.ts";

/** `rowhouse db diff` */
export const diffCommand = new Command("diff")
  .description("print the SQL from db/migrations to sql/ and policies/; writes nothing")
  .option("--against <url>", "start from this database instead: it is only read", parseDatabaseUrl)
  .action(async ({ against }: { against?: string }) => {
    const { colourSql } = await import("../../schema/plan/colour.ts");
    const { hazards, up } = against ? await fromDatabase(against) : await fromMigrations();
    for (const { message } of hazards) print(colourSql(`-- Mind: ${message}`));
    if (up.length > 0) printExactly(up.map((sql) => colourSql(`${sql};`)).join("\n\n"));
  });

async function fromMigrations() {
  const { root, migrationsDir: dir } = openProject();
  const { draftMigration } = await import("../../schema/plan/migration.ts");
  const draft = await withScratchPair((migrated, declared) =>
    draftMigration({ root, dir, migrated, declared }, "diff"),
  );
  return draft ?? { hazards: [], up: [] };
}

async function fromDatabase(url: string) {
  const { root } = openProject();
  const { buildDeclared } = await import("../../schema/catalog/declared.ts");
  const { areEqual } = await import("../../schema/catalog/catalog.ts");
  const { withSameOwner } = await import("../../schema/plan/owner.ts");
  const { readAnonymousRole } = await import("../../schema/plan/anonymous.ts");
  const { findPlanHazards } = await import("../../schema/plan/hazards.ts");
  const { planChanges } = await import("../../schema/plan/plan.ts");
  const { readSnapshot } = await import("../../schema/plan/snapshot.ts");
  const { declaredSources } = await import("../../schema/plan/sources.ts");
  return withScratch(async (scratch) => {
    const declared = await scratch.create();
    await buildDeclared(await withSameOwner(url, declared), root);
    const anonymous = readAnonymousRole(root);
    const [from, to] = [
      await readSnapshot(url, { anonymous }),
      await readSnapshot(declared, { anonymous }),
    ];
    if (areEqual(from.catalog, to.catalog)) return { hazards: [], up: [] };
    const up = planChanges(from, to, declaredSources(root));
    return { hazards: findPlanHazards([from, to], up), up };
  });
}
