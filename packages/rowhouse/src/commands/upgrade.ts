import { Command } from "commander";
import type { Fault } from "../access/faults/fault.ts";
import { note, noteIfSlow, print, printResult } from "../lib/output.ts";
import { openProject } from "../lib/project.ts";
import type { Hazard } from "../schema/plan/hazard.ts";
import type { Draft } from "../schema/plan/migration.ts";
import type { FileChange } from "../schema/upgrade/merge.ts";
import type { Upgrade } from "../schema/upgrade/upgrade.ts";
import {
  type Allowed,
  describeProof,
  findFaultsOfDraft,
  noteFaults,
  refuse,
} from "./db/migration.ts";

const help = `
Run it after \`npm update rowhouse\`. Rowhouse owns sql/request, sql/private, compose/ and
postgrest.conf in a project. Files that you did not edit are replaced; your edits are merged with the
new version, or left between conflict markers. rowhouse.lock.json records what was written. The change
of the database becomes a migration, tried on throwaway servers before anything is written.
The exit code is 1 when there are conflicts.`;

interface Options extends Allowed {
  readonly dryRun?: true;
  readonly json?: true;
}

/** `rowhouse upgrade` */
export const upgradeCommand = new Command("upgrade")
  .description("bring the project's copies of Rowhouse's files in step with the installed version")
  .option("--dry-run", "only print what would change")
  .option("--allow-drop <object...>", "let the migration drop these")
  .option("--allow-rls-off <table...>", "let it turn row-level security off on these")
  .option("--allow-anonymous <object...>", "let it open these to anonymous")
  .option("--allow-power <role...>", "let it make these roles members of others, or bypassrls")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(upgrade);

async function upgrade({ dryRun, json, ...allowed }: Options): Promise<void> {
  const project = openProject();
  const { applyUpgrade, planUpgrade } = await import("../schema/upgrade/upgrade.ts");
  let unused: readonly string[] = [];
  let faults: readonly Fault[] = [];
  const judge = {
    permit: (hazards: readonly Hazard[]) => {
      unused = refuse(hazards, allowed);
    },
    check: async (draft: Draft) => {
      faults = await findFaultsOfDraft(draft, project.lint);
    },
  };
  const planned = await noteIfSlow(
    "Trying the upgrade on throwaway servers ...",
    planUpgrade(project, judge),
  );
  if (!dryRun) applyUpgrade(project, planned);
  printResult(planned, json, (result) => describe(result, dryRun));
  for (const line of unused) note(line);
  await noteFaults(faults);
  const conflicts = planned.changes.filter(({ outcome }) => outcome === "conflict");
  if (conflicts.length > 0) {
    note("Resolve the conflicts, then run `npx rowhouse db migration upgrade`.");
    process.exitCode = 1;
  } else if (planned.draft && !json) {
    for (const line of describeProof(planned.draft)) note(line);
    if (!dryRun) print("Review the difference, then run `npx rowhouse migrate`.");
  }
}

const outcomes: Record<FileChange["outcome"], string> = {
  added: "added",
  updated: "updated",
  removed: "removed",
  merged: "merged with your edits",
  conflict: "conflict: your edits and the new version touch the same lines",
  kept: "kept: you edited or deleted it, and the new version changes or drops it",
};

function describe({ from, to, changes, draft }: Upgrade, dryRun = false): string[] {
  const title = from === to ? `Rowhouse ${to}` : `Rowhouse ${from} -> ${to}`;
  if (changes.length === 0) return [`${title}: every file is current.`];
  return [
    dryRun ? `${title}, nothing was written:` : `${title}:`,
    ...changes.map(({ path, outcome }) => `  ${path}: ${outcomes[outcome]}`),
    ...(draft ? [`  db/migrations/${draft.file}: the change of the database`] : []),
  ];
}
