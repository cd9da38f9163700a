import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { Fault } from "../../access/faults/fault.ts";
import { RowhouseError } from "../../lib/errors.ts";
import { quoteForShell } from "../../lib/format.ts";
import { type LintSettings, withoutSwitchedOff } from "../../lib/lint-settings.ts";
import { note, print } from "../../lib/output.ts";
import { openProject } from "../../lib/project.ts";
import type { Hazard, HazardKind } from "../../schema/plan/hazard.ts";
import type { Draft } from "../../schema/plan/migration.ts";
import type { Rename } from "../../schema/plan/rename.ts";
import { withScratchPair } from "../../stack/scratch.ts";
import { adoptAtHome } from "./adopt.ts";

/** What is allowed, each with the objects that it is allowed for. */
export interface Allowed {
  readonly allowDrop?: readonly string[];
  readonly allowRlsOff?: readonly string[];
  readonly allowAnonymous?: readonly string[];
  readonly allowPower?: readonly string[];
}

interface Options extends Allowed {
  readonly draft?: true;
  readonly rename?: readonly Rename[];
}

/** `rowhouse db migration <name>` */
export const migrationCommand = new Command("migration")
  .description("write and prove the migration from db/migrations to sql/ and policies/")
  .argument("<name>", "what it does, in a few words: note_column", migrationName)
  .option(
    "--allow-drop <object...>",
    "allow dropping these tables, columns or labels of these enums, or changing a column's type",
  )
  .option("--draft", "write it with marked places for the values that rows need in new columns")
  .option(
    "--rename <old=new...>",
    "columns or tables with a new name: api.tasks.title=name, api.tasks=jobs",
    parseRename,
  )
  .option("--allow-rls-off <table...>", "allow turning row-level security off on these")
  .option("--allow-anonymous <object...>", "allow opening these to anonymous requests")
  .option("--allow-power <role...>", "allow making these roles members of others, or bypassrls")
  .addHelpText(
    "after",
    `
It is tried on throwaway servers first: up must arrive at what is declared, down must return, and
made-up rows must survive both. Only then is the file written.`,
  )
  .action(async (name: string, { draft: marked, rename: renames = [], ...allowed }: Options) => {
    const permit = (hazards: readonly Hazard[]) => {
      for (const line of refuse(hazards, allowed)) note(line);
    };
    const { draftMigration } = await import("../../schema/plan/migration.ts");
    const { root, migrationsDir: dir, lint } = openProject();
    await withScratchPair(async (migrated, declared) => {
      const options = { root, dir, migrated, declared, permit, backfill: marked === true, renames };
      const draft = await draftMigration(options, name);
      if (draft === undefined) {
        permit([]);
        note("Nothing to do: db/migrations builds what sql/ and policies/ declare.");
        return;
      }
      const faults = await findFaultsOfDraft(draft, lint);
      const file = join(dir, draft.file);
      writeFileSync(file, draft.text, { flag: "wx" });
      print(`wrote ${relative(process.cwd(), file)}`);
      for (const line of describeProof(draft)) note(line);
      await noteFaults(faults);
      for (const { table, column } of draft.backfills)
        note(
          `Write the values of ${table}.${column} at BACKFILL before you apply it: it was tried with made-up ones.`,
        );
      for (const line of await adoptAtHome(declared)) note(line);
    });
  });

/**
 * What fails after the migration and did not before, on made-up rows.
 *
 * @returns What a person may want: a column that is hidden, a policy that fails for some rows.
 * @throws RowhouseError requests_fail when a policy fails.
 */
export async function findFaultsOfDraft(
  { before, after }: Pick<Draft, "before" | "after">,
  off: LintSettings,
): Promise<Fault[]> {
  const { findNewFaults } = await import("../../access/faults/fault.ts");
  const { readFaultsWithRows } = await import("../../access/faults/faults.ts");
  const faults = findNewFaults(await readFaultsWithRows(before), await readFaultsWithRows(after));
  const brought = withoutSwitchedOff(faults, off);
  refuseFailing(brought);
  return brought;
}

/** @throws RowhouseError requests_fail */
function refuseFailing(faults: readonly Fault[]): void {
  const failing = faults.filter(
    ({ rule }) => rule === "failing_requests" || rule === "policy_recursion",
  );
  if (failing.length === 0) return;
  const remedies = [...new Set(failing.map(({ remedy }) => remedy))];
  throw new RowhouseError(
    "requests_fail",
    [
      "After this migration requests would fail:",
      ...failing.map(({ object, finding }) => `  ${object}: ${finding}.`),
    ].join("\n"),
    `Nothing was written. ${remedies.join(" ")}`,
  );
}

/** Reports with the file what a person may have forgotten: the columns can be meant to be hidden. */
export async function noteFaults(faults: readonly Fault[]): Promise<void> {
  const { describeFaults, describeKeeping } = await import("../../access/faults/fault.ts");
  for (const line of describeFaults(faults)) note(line);
  const errors = faults.filter(({ level }) => level === "error");
  if (errors.length > 0) note(describeKeeping(errors));
}

/** "api.tasks.title=name", or "api.tasks=jobs" */
function parseRename(value: string, others: readonly Rename[] = []): Rename[] {
  const name = /"(?:[^"]|"")+"|\w+/.source;
  const [, table = "", column, to = ""] =
    new RegExp(`^((?:${name})\\.(?:${name}))(?:\\.(${name}))?=(${name})$`).exec(value) ?? [];
  if (to !== "") return [...others, column === undefined ? { table, to } : { table, column, to }];
  throw new InvalidArgumentError(
    "Give the old and the new name: api.tasks.title=name, or api.tasks=jobs for a table.",
  );
}

function migrationName(value: string): string {
  const name = value.toLowerCase().replace(/[\s-]+/g, "_");
  if (/^[a-z][a-z0-9_]{0,59}$/.test(name)) return name;
  throw new InvalidArgumentError("Use letters, digits and underscores: note_column.");
}

const flags: Record<HazardKind, [flag: string, allowed: keyof Allowed]> = {
  drop: ["--allow-drop", "allowDrop"],
  "rls-off": ["--allow-rls-off", "allowRlsOff"],
  anonymous: ["--allow-anonymous", "allowAnonymous"],
  power: ["--allow-power", "allowPower"],
};

/**
 * @throws RowhouseError step_refused, naming every step that no flag allows.
 * @returns What is allowed and in no step: a name that is mistyped, or no longer needed.
 */
export function refuse(hazards: readonly Hazard[], allowed: Allowed): string[] {
  const refused = hazards.filter(({ kind, object }) => !allowed[flags[kind][1]]?.includes(object));
  const unused = findUnused(hazards, allowed);
  if (refused.length === 0) return unused;
  const needed = new Set(
    refused.map(({ kind, object }) => `${flags[kind][0]} ${quoteForShell(object)}`),
  );
  throw new RowhouseError(
    "step_refused",
    [
      "Refused: this needs explicit permission:",
      ...refused.map(({ message }) => `  ${message}`),
      ...unused,
    ].join("\n"),
    `Nothing was written. If it is intended, add: ${[...needed].join(" ")}`,
  );
}

/** The names behind flags that no step needs, in sentences. */
function findUnused(hazards: readonly Hazard[], allowed: Allowed): string[] {
  return Object.entries(flags).flatMap(([kind, [flag, key]]) =>
    (allowed[key] ?? [])
      .filter((name) => !hazards.some((one) => one.kind === kind && one.object === name))
      .map((name) => `${flag} ${quoteForShell(name)} names nothing that this migration needs.`),
  );
}

export function describeProof({ proof }: Draft): string[] {
  const { rows, tables, untried, emptied, staying } = proof;
  return [
    `Proven: up arrives at sql/ and policies/, down returns, and ${rows} rows in ${tables} tables survived both.`,
    ...untried.map(
      ({ table, reason }) => `Not tried with rows in ${table}: could not make up any: ${reason}.`,
    ),
    ...emptied.map(
      (table) =>
        `Down was tried with ${table} empty: a column that takes no null cannot come back otherwise.`,
    ),
    ...staying.map(
      (role) =>
        `Down leaves the role ${role}, with its settings, what it is a member of and its members: roles belong to the server.`,
    ),
  ];
}
