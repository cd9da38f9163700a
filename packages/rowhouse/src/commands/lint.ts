import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { LintReport } from "../health/lint/lint.ts";
import type { Finding, Level, Rule } from "../health/lint/rule.ts";
import { RowhouseError } from "../lib/errors.ts";
import { note, print, printExactly } from "../lib/output.ts";
import { openProject, type Project } from "../lib/project.ts";
import { parseDatabaseUrl } from "./options.ts";

type Format = "text" | "json" | "sarif";

interface Options {
  readonly against?: string;
  readonly rules?: true;
  readonly rule?: readonly string[];
  readonly level: Level;
  readonly baseline?: string;
  readonly writeBaseline?: true;
  readonly format: Format;
  readonly json?: true;
}

/** `rowhouse lint` */
export const lintCommand = new Command("lint")
  .description("find open rows, failing requests and broken conventions")
  .option("--against <url>", "check this database instead", parseDatabaseUrl)
  .option("--rules", "check nothing; list the rules")
  .option("--rule <name...>", "check only these rules, and list all that they find")
  .addOption(
    new Option("--level <level>", "leave out what is less grave")
      .choices(["error", "warning", "note"])
      .default("note"),
  )
  .option("--baseline <file>", "leave out what this file lists")
  .addOption(
    new Option("--write-baseline", "write what is found to that file").conflicts(["rule", "rules"]),
  )
  .addOption(
    new Option("--format <format>", "how to print it")
      .choices(["text", "json", "sarif"])
      .default("text"),
  )
  .option("--json", "for programs: --format json")
  .addHelpText(
    "after",
    "\nIt checks the database that sql/ and policies/ declare.\nThe exit code is 1 when there are errors or warnings. What notes name may be wanted.",
  )
  .action(async (options: Options) => {
    const { ownRules, readRules } = await import("../health/lint/rules.ts");
    const format = options.json ? "json" : options.format;
    const all = readRules();
    const rules = chooseRules(all, options.rule);
    if (options.rules) return printRules(rules, format);
    if (options.writeBaseline && options.baseline === undefined) throw missingFile();
    const project = openProject();
    const report = await check(project, rules, options.against);
    if (options.writeBaseline && options.baseline !== undefined) {
      const { writeBaseline } = await import("../health/lint/baseline.ts");
      writeBaseline(options.baseline, report.findings);
      return note(`Wrote what is found now to ${options.baseline}.`);
    }
    const findings = await choose(report, options);
    if (findings.some(({ level }) => level !== "note")) process.exitCode = 1;
    await printFindings(findings, report, {
      format,
      project,
      rules: [...all, ...ownRules],
      checked: rules.length,
    });
  });

function chooseRules(all: readonly Rule[], names: readonly string[] | undefined): readonly Rule[] {
  const unknown = names?.filter((name) => !all.some((rule) => rule.name === name)) ?? [];
  if (unknown.length === 0) return names ? all.filter(({ name }) => names.includes(name)) : all;
  throw new RowhouseError(
    "settings_invalid",
    `There is no rule ${unknown.join(", ")}.`,
    "`npx rowhouse lint --rules` lists them.",
  );
}

async function printRules(rules: readonly Rule[], format: Format): Promise<void> {
  const { formatRule } = await import("../health/lint/text.ts");
  print(
    format === "text"
      ? rules.map(formatRule).join("\n\n")
      : asJson(
          rules.map(({ query, name, remedy, ...rest }) => ({ rule: name, ...rest, do: remedy })),
        ),
  );
}

async function check(
  project: Project,
  rules: readonly Rule[],
  against: string | undefined,
): Promise<LintReport> {
  const { lint } = await import("../health/lint/lint.ts");
  const { inspect } = await import("../access/model/inspect.ts");
  const { makeRows } = await import("../schema/proof/sample-rows.ts");
  return inspect(
    against,
    (client, names) =>
      lint(client, names, { off: project.lint, rules, platform: project.platform.schemas }),
    makeRows,
  );
}

function missingFile(): RowhouseError {
  return new RowhouseError(
    "settings_invalid",
    "--write-baseline needs a file.",
    "Name it: --baseline <file>.",
  );
}

/** What the options ask for, the gravest first. */
async function choose(report: LintReport, options: Options): Promise<readonly Finding[]> {
  const { readBaseline, withoutBaseline } = await import("../health/lint/baseline.ts");
  const { summarize } = await import("../health/lint/summary.ts");
  const { levels } = await import("../health/lint/rule.ts");
  const { left, gone } = withoutBaseline(
    report.findings,
    options.baseline === undefined
      ? []
      : readBaseline(options.baseline).filter(({ rule }) => options.rule?.includes(rule) ?? true),
  );
  if (gone > 0)
    note(
      `${options.baseline} lists ${gone} that are found no more: --write-baseline takes them out.`,
    );
  const all = options.rule
    ? [...left, ...report.counted]
    : summarize({ ...report, findings: left }, options.baseline !== undefined);
  const shown = levels.slice(0, levels.indexOf(options.level) + 1);
  return shown.flatMap((shownLevel) => all.filter(({ level }) => level === shownLevel));
}

/** How findings are printed. */
interface Printing {
  readonly format: Format;
  readonly project: Project;
  /** All that a finding can be of. */
  readonly rules: readonly Rule[];
  readonly checked: number;
}

async function printFindings(
  findings: readonly Finding[],
  { objects }: LintReport,
  { format, project, rules, checked }: Printing,
): Promise<void> {
  if (format === "text") {
    const { formatFindings } = await import("../health/lint/text.ts");
    return print(formatFindings(findings, rules, checked));
  }
  const { readPlaces } = await import("../schema/catalog/places.ts");
  const places = existsSync(join(project.root, "sql")) ? readPlaces(project.root) : new Map();
  const findPlace = (name: string) =>
    places.get(objects.find((object) => object.name === name)?.subject ?? "");
  if (format === "json")
    return print(asJson(findings.map((one) => ({ ...one, ...findPlace(one.object) }))));
  const { toSarif } = await import("../health/lint/sarif.ts");
  printExactly(asJson(toSarif(findings, rules, findPlace)));
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
