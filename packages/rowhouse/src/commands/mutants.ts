import { Command } from "commander";
import type { Mutant, Verdict } from "../access/mutants/mutant.ts";
import { RowhouseError } from "../lib/errors.ts";
import { note, print } from "../lib/output.ts";
import { type Scratch, withOwnScratch } from "../stack/scratch.ts";

interface Options {
  readonly only?: string;
  readonly list?: true;
  readonly json?: true;
}

/** `rowhouse mutants` */
export const mutantsCommand = new Command("mutants")
  .description("weaken the access rules one at a time, and show what the pgTAP files do not notice")
  .addHelpText(
    "after",
    "\nIt works on a server that is thrown away, with the database that sql/ and policies/ declare.\nThe exit code is 1 when a mutant survives, or cannot be tried.",
  )
  .option("--only <text>", "those whose object or kind has the text in it")
  .option("--list", "print the mutants, and try none")
  .option("--json", "for programs")
  .action(async (options: Options) => {
    const { lines, passed } = await withOwnScratch((scratch) => mutate(scratch, options));
    print(lines.join("\n"));
    if (!passed) process.exitCode = 1;
  });

interface Outcome {
  readonly lines: readonly string[];
  readonly passed: boolean;
}

async function mutate(scratch: Scratch, { only, list, json }: Options): Promise<Outcome> {
  const { buildDeclared } = await import("../schema/catalog/declared.ts");
  const { withClient } = await import("../stack/database.ts");
  const { generateMutants, selectMutants } = await import("../access/mutants/generate.ts");
  const { allKilled, listing, report, reportForPrograms } = await import(
    "../access/mutants/report.ts"
  );
  const inJson = (value: object) => [JSON.stringify(value, null, 2)];
  const template = await scratch.create();
  await buildDeclared(template);
  if (!list) await assertTests();
  const mutants = selectMutants(await withClient(template, generateMutants), only);
  if (list) return { lines: json ? inJson(mutants) : listing(mutants), passed: true };
  const verdicts = await tryAll(scratch, template, mutants);
  return {
    lines: json ? inJson(reportForPrograms(verdicts)) : report(verdicts),
    passed: allKilled(verdicts),
  };
}

/** @throws RowhouseError tests_missing */
async function assertTests(): Promise<void> {
  const { pgtapFiles } = await import("../testing/pgtap.ts");
  if (pgtapFiles().length > 0) return;
  throw new RowhouseError(
    "tests_missing",
    "There is no pgTAP file in tests/database, so that every mutant would survive.",
    "Write one, or copy those that you have there. `npx rowhouse mutants --list` shows what they should notice.",
  );
}

async function tryAll(
  scratch: Scratch,
  template: string,
  mutants: readonly Mutant[],
): Promise<Verdict[]> {
  const { installPgtap, pgtapFiles } = await import("../testing/pgtap.ts");
  const { runMutants } = await import("../access/mutants/run.ts");
  await installPgtap(template);
  const progress = createProgress(mutants.length);
  try {
    return await runMutants({ scratch, template, files: pgtapFiles() }, mutants, progress.next);
  } finally {
    progress.end();
  }
}

/** One line on a terminal that is written over; a line at the start elsewhere. */
function createProgress(total: number): { next: (verdict: Verdict) => void; end: () => void } {
  if (!process.stderr.isTTY) {
    note(`Trying ${total} ${total === 1 ? "mutant" : "mutants"}.`);
    return { next: () => {}, end: () => {} };
  }
  let tried = 0;
  let survived = 0;
  const show = () =>
    process.stderr.write(`\r\x1b[K${tried} of ${total} mutants tried, ${survived} survived`);
  show();
  return {
    next: ({ outcome }) => {
      tried += 1;
      if (outcome === "survived") survived += 1;
      show();
    },
    end: () => process.stderr.write("\r\x1b[K"),
  };
}
