import { Command } from "commander";
import type { Finding } from "../health/lint/lint.ts";
import type { Rule } from "../health/lint/rule.ts";
import { colours } from "../lib/colours.ts";
import { print } from "../lib/output.ts";
import { openProject } from "../lib/project.ts";
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
    "\nIt checks the database that sql/ and policies/ declare.\nThe exit code is 1 when there are findings. Notes are no findings: what they name may be wanted.",
  )
  .action(async ({ against, rules: list, json }: Options) => {
    const { lint, readRules, unusedSettings } = await import("../health/lint/lint.ts");
    const rules = readRules();
    if (list)
      return print(json ? asJson(rules.map(withoutQuery)) : rules.map(describeRule).join("\n\n"));
    const { inspect } = await import("../access/model/inspect.ts");
    const { makeRows } = await import("../schema/proof/sample-rows.ts");
    const off = openProject().lint;
    const findings = await inspect(against, (client) => lint(client, off), makeRows);
    if (findings.some(({ level }) => level === "error")) process.exitCode = 1;
    print(json ? asJson(findings) : report(findings, [...rules, unusedSettings]));
  });

function report(findings: readonly Finding[], rules: readonly Rule[]): string {
  const blocks = rules
    .map((rule) => ({ rule, found: findings.filter((finding) => finding.rule === rule.name) }))
    .filter(({ found }) => found.length > 0)
    .map(({ rule, found }) =>
      [
        rule.level === "note" ? colours.yellow(`${rule.name} (note)`) : colours.red(rule.name),
        ...found.map(({ object, finding }) => `  ${colours.bold(object)}: ${finding}.`),
        ...reasons(rule),
      ].join("\n"),
    );
  return [...blocks, summary(findings, rules.length - 1)].join("\n\n");
}

function summary(findings: readonly Finding[], rules: number): string {
  const errors = findings.filter(({ level }) => level === "error");
  const notes = findings.length - errors.length;
  const broken = new Set(errors.map(({ rule }) => rule)).size;
  const counted =
    broken === 0
      ? `No findings: ${rules} rules.`
      : `${count(errors.length, "finding")}, by ${broken} of ${rules} rules.`;
  return notes === 0 ? counted : `${counted} ${count(notes, "note")}.`;
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function describeRule(rule: Rule): string {
  return [colours.bold(rule.name), ...reasons(rule)].join("\n");
}

function reasons({ why, remedy }: Rule): string[] {
  return [`  ${colours.dim("why:")} ${why}`, `  ${colours.dim("do:")}  ${remedy}`];
}

function withoutQuery({ name, level, why, remedy }: Rule) {
  return { rule: name, level, why, do: remedy };
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
