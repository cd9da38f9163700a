import { colours } from "../../lib/colours.ts";
import type { Finding, Level, Rule } from "./rule.ts";

const paint: Readonly<Record<Level, (text: string) => string>> = {
  error: colours.red,
  warning: colours.yellow,
  note: colours.dim,
};

/**
 * Findings for people, by rule, in their order.
 *
 * @param rules All that a finding can be of; checked is how many of them were.
 */
export function formatFindings(
  findings: readonly Finding[],
  rules: readonly Rule[],
  checked: number,
): string {
  const blocks = [...new Set(findings.map(({ rule }) => rule))].flatMap((name) => {
    const rule = rules.find((one) => one.name === name);
    return rule === undefined
      ? []
      : [
          formatBlock(
            rule,
            findings.filter((one) => one.rule === name),
          ),
        ];
  });
  return [...blocks, summary(findings, checked)].join("\n\n");
}

function formatBlock(rule: Rule, found: readonly Finding[]): string {
  return [
    formatTitle(rule),
    ...found.map(({ object, findings }) => `  ${colours.bold(object)}: ${findings.join("; ")}.`),
    ...formatReasons(rule),
  ].join("\n");
}

/** A rule for people: what it is for, and what it costs. */
export function formatRule(rule: Rule): string {
  const scope =
    rule.scope === "convention"
      ? ["a convention: only counted where request.user_id() or request.plannable() is missing"]
      : [];
  return [
    [formatTitle(rule), ...scope].join(", "),
    ...formatReasons(rule),
    `  ${colours.dim("cost on a foreign project:")} ${rule.cost}`,
  ].join("\n");
}

function formatTitle({ name, level }: Rule): string {
  return paint[level](`${name} (${level})`);
}

function formatReasons({ why, remedy }: Rule): string[] {
  return [`  ${colours.dim("why:")} ${why}`, `  ${colours.dim("do:")}  ${remedy}`];
}

function summary(findings: readonly Finding[], checked: number): string {
  const counts = (["error", "warning", "note"] as const).flatMap((level) => {
    const number = findings.filter((one) => one.level === level).length;
    return number === 0 ? [] : [`${number} ${level}${number === 1 ? "" : "s"}`];
  });
  const rules = `${checked} rule${checked === 1 ? "" : "s"} checked`;
  return counts.length === 0 ? `No findings: ${rules}.` : `${counts.join(", ")}: ${rules}.`;
}
