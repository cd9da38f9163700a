import { Command } from "commander";
import type { Fault } from "../access/faults/fault.ts";
import type { Rules } from "../access/rehearse/changes.ts";
import type { RehearsalOptions } from "../access/rehearse/rehearse.ts";
import { withoutSwitchedOff } from "../lib/lint-settings.ts";
import { note, print, printResult } from "../lib/output.ts";
import { openProject } from "../lib/project.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { parseCount, parseDatabaseUrl } from "./options.ts";

const help = `
It compares the access rules in sql/ and policies/ with the database, in one read-only transaction.
Each changed condition is evaluated over the existing rows, old and new: which rows does a user gain,
lose and keep? An update has two conditions: on the rows that may be changed, and on the rows that
they may become. Triggers do not run. The effect of views and functions that run with their owner's
rights is unknown: they are listed when they are new or change. So is that of a policy when something
changes on which it rests: a function, a table or view that it reads, a setting, a privilege.
It checks anonymous, a new user and up to --users users; of more users, half are those with the most
rows in the changed tables, and half the newest. Ten are printed for each change, those who gain the
most first; --json has all.
It also lists requests that fail afterwards and did not before: a column without a grant beside others
that have one makes every select=* fail.
The exit code is 0 when no user gains an existing row or column, 2 when a user does, when it is
unknown or when requests will fail (--accept makes that 0), and 1 on an error.`;

interface Options extends Omit<RehearsalOptions, "as"> {
  readonly as?: readonly string[];
  readonly against?: string;
  readonly accept?: true;
  readonly json?: true;
}

/** `rowhouse rehearse` */
export const rehearseCommand = new Command("rehearse")
  .description("before a deploy, read-only: show who would gain or lose which rows")
  .option("--against <url>", "the database; default is that of the settings", parseDatabaseUrl)
  .option("--as <user>", "check this user (repeatable): an email address, id, or anonymous", append)
  .option("--users <n>", "check up to <n> users", parseCount, 50)
  .option("--examples <n>", "show up to <n> rows of each", parseCount, 3)
  .option("--timeout <seconds>", "how long one statement may take", parseCount, 60)
  .option("--accept", "exit 0 even if someone gains access")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(rehearseDeploy);

function append(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

async function rehearseDeploy({ against, accept, json, as, ...how }: Options): Promise<void> {
  const settings = readSettings();
  const options = { ...how, as: as ?? [] };
  const { rehearse } = await import("../access/rehearse/rehearse.ts");
  const { describeRehearsal } = await import("../access/rehearse/text.ts");
  const { describeFaults, describeKeeping, findNewFaults } = await import(
    "../access/faults/fault.ts"
  );
  const { readFaults } = await import("../access/faults/faults.ts");
  const declared = readDeclaredAccess();
  // It is waited for below; until then its failure must not end the process.
  declared.catch(() => {});
  const progress = slowProgress();
  const look = async (url: string) => {
    await reportIfAhead(url);
    const { rules, faults } = await declared;
    const rehearsal = await rehearse(url, rules, options, progress.describeRehearsal);
    const brought = withoutSwitchedOff(
      findNewFaults(await readFaults(url), faults),
      settings.project.lint,
    );
    return {
      ...rehearsal,
      faults: brought.filter(({ level }) => level === "error"),
      // What made-up rows show by chance is left to `lint`.
      notes: brought.filter(({ rule }) => rule === "fallible_policies"),
    };
  };
  const work = against ? look(against) : withDatabase(settings, openHome(settings.home), look);
  const rehearsal = await work.finally(async () => {
    progress.end();
    await declared.catch(() => {});
  });
  printResult(rehearsal, json, () => [
    ...describeRehearsal(rehearsal),
    ...describeFaults([...rehearsal.faults, ...rehearsal.notes]),
  ]);
  const { gains, unclear, faults } = rehearsal;
  if (!accept && (gains || unclear || faults.length > 0)) {
    if (!json) print("If that is intended, add --accept.");
    if (!json && faults.length > 0) print(describeKeeping(faults));
    process.exitCode = 2;
  }
}

/** To be behind is what a deploy is for; to be ahead means that these are not the newest files. */
async function reportIfAhead(url: string): Promise<void> {
  const { readVersions } = await import("../schema/catalog/history.ts");
  const { describeVersions } = await import("../schema/catalog/versions.ts");
  const { unknown } = await readVersions(url, openProject().migrationsDir);
  for (const line of describeVersions({ pending: [], unknown })) note(line);
}

/** Who may do what by sql/ and policies/, and what fails, on a throwaway server. */
async function readDeclaredAccess(): Promise<{ rules: Rules; faults: Fault[] }> {
  const { withScratch } = await import("../stack/scratch.ts");
  const { buildDeclared } = await import("../schema/catalog/declared.ts");
  const { withClient } = await import("../stack/database.ts");
  const { readRules } = await import("../access/rehearse/rehearse.ts");
  const { readFaultsWithRows } = await import("../access/faults/faults.ts");
  return withScratch(async (scratch) => {
    const url = await scratch.create();
    await buildDeclared(url);
    const rules = await withClient(url, readRules);
    return { rules, faults: await readFaultsWithRows(url) };
  });
}

/** Reports progress once it has taken two seconds: one line on a terminal, else a line now and then. */
function slowProgress(): { describeRehearsal: (doing: string) => void; end: () => void } {
  const { isTTY } = process.stderr;
  let next = Number.POSITIVE_INFINITY;
  let shown = false;
  return {
    describeRehearsal: (doing) => {
      next = Math.min(next, Date.now() + 2000);
      if (Date.now() < next) return;
      next = Date.now() + (isTTY ? 100 : 10_000);
      if (isTTY) process.stderr.write(`\r\x1b[2K${doing}`);
      else note(doing);
      shown = true;
    },
    end: () => {
      if (isTTY && shown) process.stderr.write("\r\x1b[2K");
    },
  };
}
