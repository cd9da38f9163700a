import { Command } from "commander";
import type { Rules } from "../access/rehearse/changes.ts";
import type { RehearsalOptions } from "../access/rehearse/rehearse.ts";
import { note, print, printResult } from "../lib/output.ts";
import { openProject } from "../lib/project.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { parseCount, parseDatabaseUrl } from "./options.ts";

const help = `
What sql/ and policies/ declare is compared with the database, in one transaction that can write
nothing. Each changed condition is evaluated over the rows that are there, old and new: which rows
does somebody gain, lose and keep? An update has two: the rows that may be changed, and the rows
that they may be turned into. Triggers do not run. Of views and functions that run with their
owner's rights it cannot be told what they give: they are named when they are new or change.
Looked at are anonymous, a newcomer, and the users; where there are more than --users, half of them
are those with the most rows in the changed tables, and half the newest. Ten are printed for each
change, those who gain the most first; --json has all.
The exit code is 0 when nobody gains a row or column that is there, 2 when somebody does or when it
cannot be told (--accept makes that 0), and 1 on an error.`;

interface Options extends Omit<RehearsalOptions, "as"> {
  readonly as?: readonly string[];
  readonly against?: string;
  readonly accept?: true;
  readonly json?: true;
}

/** `rowhouse rehearse` */
export const rehearseCommand = new Command("rehearse")
  .description("before a deploy, and only reading: tell who would gain or lose which rows")
  .option("--against <url>", "the database; default is that of the settings", parseDatabaseUrl)
  .option(
    "--as <user>",
    "look as this user (repeatable): an email address, id, or anonymous",
    append,
  )
  .option("--users <n>", "look at so many users", parseCount, 50)
  .option("--examples <n>", "name so many rows of each", parseCount, 3)
  .option("--timeout <seconds>", "how long one statement may take", parseCount, 60)
  .option("--accept", "exit with 0 all the same")
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
  const declared = declaredRules();
  // It is waited for below; until then its failure must not end the process.
  declared.catch(() => {});
  const progress = slowProgress();
  const look = async (url: string) => {
    await reportIfAhead(url);
    return rehearse(url, await declared, options, progress.describeRehearsal);
  };
  const work = against ? look(against) : withDatabase(settings, openHome(settings.home), look);
  const rehearsal = await work.finally(async () => {
    progress.end();
    await declared.catch(() => {});
  });
  printResult(rehearsal, json, describeRehearsal);
  if (!accept && (rehearsal.gains || rehearsal.unclear)) {
    if (!json) print("If that is meant, say so with --accept.");
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

/** The rules that sql/ and policies/ declare, built on a throwaway server. */
async function declaredRules(): Promise<Rules> {
  const { withScratch } = await import("../stack/scratch.ts");
  const { buildDeclared } = await import("../schema/catalog/declared.ts");
  const { withClient } = await import("../stack/database.ts");
  const { readRules } = await import("../access/rehearse/rehearse.ts");
  return withScratch(async (scratch) => {
    const url = await scratch.create();
    await buildDeclared(url);
    return withClient(url, readRules);
  });
}

/** Tells what is done once it has taken two seconds: on a terminal one line, else a rare one. */
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
