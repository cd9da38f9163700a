import { Command } from "commander";
import type { Finding, Rule } from "../health/lint/lint.ts";
import { colours } from "../lib/colours.ts";
import { print } from "../lib/output.ts";
import { parseDatabaseUrl } from "./options.ts";

interface Options {
  readonly against?: string;
  readonly rules?: true;
  readonly json?: true;
}

/** `rowhouse lint` */
export const lintCommand = new Command("lint")
  .description("check the database against the project conventions")
  .option("--against <url>", "check this database instead", parseDatabaseUrl)
  .option("--rules", "check nothing; list the rules")
  .option("--json", "for programs")
  .addHelpText(
    "after",
    "\nIt checks the database that sql/ and policies/ declare.\nThe exit code is 1 when there are findings.",
  )
  .action(async ({ against, rules: list, json }: Options) => {
    const { lint, readRules } = await import("../health/lint/lint.ts");
    const rules = readRules();
    if (list)
      return print(json ? asJson(rules.map(withoutQuery)) : rules.map(describeRule).join("\n\n"));
    const { inspect } = await import("../access/model/inspect.ts");
    const findings = await inspect(against, lint);
    if (findings.length > 0) process.exitCode = 1;
    print(json ? asJson(findings) : report(findings, rules));
  });

function report(findings: readonly Finding[], rules: readonly Rule[]): string {
  if (findings.length === 0) return `No findings: ${rules.length} rules.`;
  const broken = rules.filter(({ name }) => findings.some(({ rule }) => rule === name));
  const blocks = broken.map((rule) =>
    [
      colours.red(rule.name),
      ...findings
        .filter((finding) => finding.rule === rule.name)
        .map(({ object, finding }) => `  ${colours.bold(object)}: ${finding}.`),
      ...reasons(rule),
    ].join("\n"),
  );
  return [...blocks, `${findings.length} findings, by ${broken.length} of ${rules.length} rules.`]
    .join("\n\n")
    .replace(/^1 findings/m, "1 finding");
}

function describeRule(rule: Rule): string {
  return [colours.bold(rule.name), ...reasons(rule)].join("\n");
}

function reasons({ why, remedy }: Rule): string[] {
  return [`  ${colours.dim("why:")} ${why}`, `  ${colours.dim("do:")}  ${remedy}`];
}

function withoutQuery({ name, why, remedy }: Rule) {
  return { rule: name, why, do: remedy };
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
