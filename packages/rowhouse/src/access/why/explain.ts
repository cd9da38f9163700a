import { colours } from "../../lib/colours.ts";
import type { Verb } from "../model/model.ts";
import { formatObstacle } from "../model/session.ts";
import { simplify } from "../model/simplify.ts";
import type { CheckedCondition, CheckResult, Decision, Verdict } from "./decide.ts";
import { describeMembership } from "./membership.ts";
import { formatRowName } from "./row-name.ts";
import type { Answer, RowAnswer } from "./why.ts";

/**
 * An answer in lines for people.
 *
 * @param all Whether to list also the policies that do not apply.
 */
export function explain(answer: Answer, all: boolean): string[] {
  const { caller, verb, table, rows } = answer;
  const who = caller.email === null ? caller.label : `${caller.email} (${caller.id})`;
  return [
    ...rows.flatMap(
      ({ row, verdict, reason, fails, filtered, unfiltered, checks, memberships }) => [
        `May ${who} ${answer.upsert ? "upsert" : verb} ${rowName(answer, row)} ${table}?`,
        ...checks.flatMap((check) => checkLines(answer, check)),
        ...memberships.map((membership) => `  ${describeMembership(membership)}`),
        `${verdictWord({ verdict, fails })}: ${reason}`,
        ...filterLines(verb, verdict, filtered),
        ...withoutFilterLines(verb, verdict, unfiltered),
        ...(verdict === "yes" ? untriedLines(answer) : []),
        "",
      ],
    ),
    ...claimLines(answer),
    ...grantLines(answer),
    ...(all ? otherLines(answer) : []),
    ...(answer.obstacle === null
      ? []
      : [
          `Only what looks at the row and the claims alone was evaluated: ${formatObstacle(answer.obstacle)}.`,
        ]),
  ];
}

function rowName({ owner, key }: Answer, row: RowAnswer["row"]): string {
  if (row === null) return "any row of";
  // A key of several columns is given whole, as it is asked for.
  const names = row.id === undefined ? key : ["id"];
  const isOwned = names.length === 1 && names[0] === owner;
  const values = isOwned ? [] : names.map((name) => row[name]);
  const isNamed =
    values.length > 0 && values.every((value) => value !== undefined && value !== null);
  const isWhose = owner !== null && row[owner] !== undefined && (isOwned || !names.includes(owner));
  const whose = !isWhose ? "" : ` (${owner} ${row[owner]})`;
  return `${isNamed ? formatRowName(values) : "this row"}${whose} of`;
}

function verdictWord({ verdict, fails }: { verdict: Verdict; fails?: true | undefined }): string {
  if (fails) return colours.red("Error");
  if (verdict === "yes") return colours.green("Yes");
  if (verdict === "no") return colours.red("No");
  return colours.yellow(verdict === "depends" ? "Maybe" : "Cannot tell");
}

/** What may still refuse it. */
function untriedLines({ verb, upsert, returning, preRequest }: Answer): string[] {
  const parts = [
    ...(verb === "select" ? [] : ["constraints", "triggers"]),
    ...(preRequest === null ? [] : [`the pre-request function ${preRequest}`]),
  ];
  if (parts.length === 0) return [];
  const list = parts.join(", ").replace(/, ([^,]*)$/, " and $1");
  const line = `${list[0]?.toUpperCase()}${list.slice(1)} ${parts.length === 1 && preRequest !== null ? "is" : "are"} not tried.`;
  return verb === "insert" && !upsert && !returning
    ? [`${line} A request that wants the row back, as the client does, has to pass select, too.`]
    : [line];
}

/** Where a request that names rows fares otherwise than one that changes all it can, and no row was named. */
function filterLines(verb: Verb, verdict: Verdict, filtered: Decision | null): string[] {
  if (filtered === null || filtered.verdict === verdict) return [];
  return [
    `That is for a request without a filter, which may ${verb} all rows that pass. With a filter, which reads them:`,
    `${verdictWord(filtered)}: ${filtered.reason}`,
  ];
}

/** Where a request that names no row does what one that names it may not. */
function withoutFilterLines(verb: Verb, verdict: Verdict, unfiltered: Decision | null): string[] {
  if (unfiltered === null || unfiltered.verdict === verdict) return [];
  return [
    `That is for a request that names the row, and so reads it. Without a filter, one may ${verb} all rows that pass:`,
    `${verdictWord(unfiltered)}: ${unfiltered.reason}`,
  ];
}

function checkLines(answer: Answer, check: CheckResult): string[] {
  const title = `  ${describeCheckedRow(answer, check)}`;
  if (check.open) return [`${title}: no row-level security`];
  if (check.conditions.length === 0) return [`${title}: no policy, so no row`];
  const width = Math.max(...check.conditions.map(({ policy }) => policy.name.length));
  return [
    `${title}:`,
    ...check.conditions.flatMap((condition) => conditionLines(condition, width)),
  ];
}

function describeCheckedRow(answer: Answer, check: CheckResult): string {
  const { verb, upsert, returning } = answer;
  const note = returning ? "" : filterNote(check);
  if (check.over === "row") {
    return `${upsert ? "the row in its way" : "the row"}, ${check.verb} policies${note}`;
  }
  const isNew = check.over === "new" || (verb === "insert" && !upsert);
  const row = isNew ? "the new row" : "the row afterwards";
  return `${row}, ${check.verb} policies${note}`;
}

function filterNote({ onlyFiltered }: CheckResult): string {
  return onlyFiltered ? " (with a filter)" : "";
}

function conditionLines({ policy, sql, outcome }: CheckedCondition, width: number): string[] {
  const value =
    outcome === null ? "" : colourValue(outcome.value).concat(" ".repeat(8 - outcome.value.length));
  const kind = policy.permissive ? "permissive " : "restrictive";
  const line = `    ${value}${policy.name.padEnd(width)}  ${kind}  ${simplify(sql)}`;
  return outcome?.reason ? [line, `            ${outcome.reason}`] : [line];
}

function colourValue(value: string): string {
  return value === "true" ? colours.green(value) : colours.red(value);
}

function grantLines({ verb, caller, columns, columnsRefused }: Answer): string[] {
  if (columns === null) return [`Not granted to ${caller.role}: ${verb}.`];
  if (columnsRefused.length === 0) return [];
  return [`Not granted to ${caller.role}: ${verb} (${columnsRefused.join(", ")}).`];
}

function claimLines({ claimsMissing, rows }: Answer): string[] {
  if (claimsMissing.length === 0 || rows.every(({ verdict }) => verdict === "yes")) return [];
  const claims = `the claim${claimsMissing.length === 1 ? "" : "s"} ${claimsMissing.join(", ")}`;
  return [
    `The policies read ${claims}, which this token lacks: give what it holds by --claims, or by "users" in package.json.`,
  ];
}

function otherLines({ otherPolicies }: Answer): string[] {
  return [
    "Policies that do not apply here:",
    ...otherPolicies.map(({ policy, reason }) => `  ${policy.name} (${reason})`),
  ];
}
