import { groupBy } from "../../schema/plan/group.ts";
import type { LintReport } from "./lint.ts";
import type { Finding } from "./rule.ts";
import { ownRules } from "./rules.ts";

/** How many objects a summary names. */
const most = 3;

/**
 * What is shown of a report: all of it in a project that follows the conventions. Elsewhere the notes of
 * a rule are one, and so is what breaks the conventions: hundreds of lines would hide the others.
 *
 * @param isNew Whether only what is new is asked for: then conventions that were never followed do not count.
 */
export function summarize(
  { findings, counted, followsConventions }: LintReport,
  isNew: boolean,
): readonly Finding[] {
  if (followsConventions) return findings;
  const groups = groupBy(findings, ({ rule, level }) => (level === "note" ? rule : `${level} all`));
  const shown = [...groups.values()].flatMap((group) =>
    group.every(({ level }) => level === "note") ? summarizeNotes(group) : group,
  );
  return isNew || counted.length === 0 ? shown : [...shown, countConventions(counted)];
}

function summarizeNotes(notes: readonly Finding[]): readonly Finding[] {
  const [first] = notes;
  if (first === undefined || notes.length === 1) return notes;
  const names = notes.slice(0, most).map(({ object }) => object);
  const others = notes.length - names.length;
  const list = others === 0 ? names : [...names, `and ${others} more`];
  return [{ ...first, object: `${notes.length} objects`, findings: [list.join(", ")] }];
}

function countConventions(counted: readonly Finding[]): Finding {
  const rule = ownRules.find(({ name }) => name === "conventions");
  if (rule === undefined) throw new Error("There is no rule conventions.");
  const { name, level, why, remedy } = rule;
  const findings = [...groupBy(counted, (one) => one.rule)].map(
    ([broken, group]) => `${broken} would find ${group.length}`,
  );
  return { rule: name, level, object: "this project", findings, why, do: remedy };
}
