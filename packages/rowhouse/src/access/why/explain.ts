import { colours } from "../../lib/colours.ts";
import type { Verb } from "../model/model.ts";
import { readable } from "../model/simplify.ts";
import type { CheckedCondition, CheckedGate, Decision, Verdict } from "./decide.ts";
import type { Answer } from "./why.ts";

/**
 * An answer in lines for people.
 *
 * @param all Whether also the policies are told that do not apply.
 */
export function explain(answer: Answer, all: boolean): string[] {
  const { asker, verb, table, rows } = answer;
  const who = asker.email === null ? asker.label : `${asker.email} (${asker.id})`;
  return [
    ...rows.flatMap(({ row, verdict, reason, filtered, gates }) => [
      `May ${who} ${verb} ${rowName(row)} ${table}?`,
      ...gates.flatMap((gate) => gateLines(answer, gate)),
      `${verdictWord(verdict)}: ${reason}`,
      ...filterLines(verb, verdict, filtered),
      ...(verdict === "yes" ? untriedLines(verb) : []),
      "",
    ]),
    ...grantLines(answer),
    ...(all ? otherLines(answer) : []),
    ...(answer.evaluatedAsRole
      ? []
      : [
          `The role in DATABASE_URL may not become ${asker.role}: conditions ran with its own rights.`,
        ]),
  ];
}

function rowName(row: Readonly<Record<string, unknown>> | null): string {
  if (row === null) return "any row of";
  const owner = row.user_id === undefined ? "" : ` (user_id ${row.user_id})`;
  return `${row.id === undefined || row.id === null ? "this row" : row.id}${owner} of`;
}

function verdictWord(verdict: Verdict): string {
  if (verdict === "yes") return colours.green("Yes");
  if (verdict === "no") return colours.red("No");
  return colours.yellow(verdict === "depends" ? "Maybe" : "Cannot tell");
}

/** What may still refuse it. */
function untriedLines(verb: Verb): string[] {
  if (verb === "select") return [];
  const line = "Constraints and triggers are not tried.";
  return verb === "insert"
    ? [`${line} A request that wants the row back, as the client does, has to pass select, too.`]
    : [line];
}

/** Where a request that names the row fares otherwise than one that changes all it can. */
function filterLines(verb: Verb, verdict: Verdict, filtered: Decision | null): string[] {
  if (filtered === null || filtered.verdict === verdict) return [];
  return [
    `That is for a request without a filter, which may ${verb} all rows that pass. With a filter, which reads them:`,
    `${verdictWord(filtered.verdict)}: ${filtered.reason}`,
  ];
}

function gateLines({ verb }: Answer, gate: CheckedGate): string[] {
  const title = `  ${titleOf(verb, gate)}`;
  if (gate.open) return [`${title}: no row-level security`];
  if (gate.conditions.length === 0) return [`${title}: no policy, so no row`];
  const width = Math.max(...gate.conditions.map(({ policy }) => policy.name.length));
  return [`${title}:`, ...gate.conditions.flatMap((condition) => conditionLines(condition, width))];
}

function titleOf(verb: string, gate: CheckedGate): string {
  if (gate.over === "row") return `the row, ${gate.verb} policies${filterNote(gate)}`;
  const row = verb === "insert" ? "the new row" : "the row afterwards";
  return `${row}, ${gate.verb} policies${filterNote(gate)}`;
}

function filterNote({ onlyFiltered }: CheckedGate): string {
  return onlyFiltered ? " (with a filter)" : "";
}

function conditionLines({ policy, sql, outcome }: CheckedCondition, width: number): string[] {
  const value =
    outcome === null ? "" : coloured(outcome.value).concat(" ".repeat(8 - outcome.value.length));
  const kind = policy.permissive ? "permissive " : "restrictive";
  const line = `    ${value}${policy.name.padEnd(width)}  ${kind}  ${readable(sql)}`;
  return outcome?.reason ? [line, `            ${outcome.reason}`] : [line];
}

function coloured(value: string): string {
  return value === "true" ? colours.green(value) : colours.red(value);
}

function grantLines({ verb, asker, columns, columnsRefused }: Answer): string[] {
  if (columns === null) return [`Not granted to ${asker.role}: ${verb}.`];
  if (columnsRefused.length === 0) return [];
  return [`Not granted to ${asker.role}: ${verb} (${columnsRefused.join(", ")}).`];
}

function otherLines({ otherPolicies }: Answer): string[] {
  return [
    "Policies without a say here:",
    ...otherPolicies.map(({ policy, reason }) => `  ${policy.name} (${reason})`),
  ];
}
