import { colours } from "../../lib/colours.ts";
import type { Rehearsal, RehearsedChange } from "./rehearsal.ts";

/** A rehearsal in lines for people. */
export function describeRehearsal({
  changes,
  functions,
  users,
  gains,
  unclear,
}: Rehearsal): string[] {
  if (changes.length + functions.length === 0) return ["No access changes."];
  const tables = [...new Set(changes.map(({ fullName }) => fullName))];
  return [
    ...tables.flatMap((table) => [
      colours.bold(table),
      ...changes.filter((change) => change.fullName === table).flatMap(changeLines),
      "",
    ]),
    ...functions.flatMap(functionLines),
    ...(users.sampled > 0
      ? [`Checked ${users.sampled} of ${formatCount(users.total)} users.`]
      : []),
    conclusion(gains, unclear),
  ];
}

function functionLines({ signature, role }: Rehearsal["functions"][number]): string[] {
  return [
    colours.bold(signature),
    `  ${colours.cyan("execute")}, ${role}`,
    `    ${colours.yellow("cannot tell")}: it runs with its owner's rights, and is new, changed or newly granted.`,
    "",
  ];
}

function conclusion(gains: boolean, unclear: boolean): string {
  if (gains && unclear)
    return colours.red("A user gains access, and the effect of some changes is unknown.");
  if (gains) return colours.red("A user gains access.");
  if (unclear) return colours.yellow("Cannot tell whether a user gains access.");
  return colours.green("No checked user gains an existing row or column.");
}

function changeLines(change: RehearsedChange): string[] {
  const { action, role, before, after, obstacle, isNewTable } = change;
  const title = `  ${colours.cyan(describeAction(action))}, ${role}`;
  if (isNewTable && obstacle === null)
    return [`${title}: ${after.text} (new table: nothing to compare)`];
  const text = before.text === after.text ? after.text : `${before.text}  ->  ${after.text}`;
  return [
    `${title}: ${text}`,
    ...columnLines(change),
    ...(obstacle === null
      ? effectLines(change)
      : [`    ${colours.yellow("cannot tell")}: ${obstacle}.`]),
  ];
}

function describeAction(action: string): string {
  if (action === "insert") return "insert (rows like these)";
  return action === "update (result)" ? "update (result: rows turned into these)" : action;
}

function columnLines({ action, columnsGained, columnsLost }: RehearsedChange): string[] {
  const line = (word: string, columns: readonly string[]) =>
    columns.length === 0 ? [] : [`    ${word} ${action}: ${columns.join(", ")}`];
  return [...line(colours.red("may now"), columnsGained), ...line("may no longer", columnsLost)];
}

/** So many people are named for each change, those who gain the most first; JSON names them all. */
const most = 10;

function effectLines({ before, after, effects, isEmpty }: RehearsedChange): string[] {
  if (before.sql === after.sql) return [];
  if (isEmpty) return ["    no rows to show it on"];
  const affected = effects
    .filter(({ gained, lost }) => gained + lost > 0)
    .sort((one, other) => other.gained - one.gained || other.lost - one.lost);
  const others = effects.filter((effect) => !affected.includes(effect));
  return [
    ...(affected.length > 0 ? table(affected) : []),
    ...unchangedLine(others, affected.length > 0),
  ];
}

/** Those who are no users are named: the last line of a rehearsal counts users alone. */
function unchangedLine(callers: RehearsedChange["effects"], isRest: boolean): string[] {
  const named = callers.filter(({ userId }) => userId === null).map(({ who }) => who);
  const users = callers.length - named.length;
  const counted = `${formatCount(users)} ${isRest ? "more " : ""}user${users === 1 ? "" : "s"}`;
  const all = [...(users > 0 ? [counted] : []), ...named];
  return all.length > 0 ? [`    no change for ${all.join(" and ")}`] : [];
}

function table(affected: RehearsedChange["effects"]): string[] {
  const named = affected.slice(0, most);
  const width = Math.max(4, ...named.map(({ who }) => who.length));
  const line = (who: string, cells: readonly string[], shown: readonly string[]) =>
    `    ${who.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}  ${shown.join(" ")}`;
  return [
    colours.dim(line("who", ["gains", "loses", "keeps"], ["examples"])),
    ...named.map(({ who, gained, lost, kept, examples }) =>
      line(who, [gained, lost, kept].map(formatCount), [
        ...markExamples("+", examples.gained),
        ...markExamples("-", examples.lost),
      ]),
    ),
    ...unnamedLine(affected.slice(most)),
  ];
}

function unnamedLine(unnamed: RehearsedChange["effects"]): string[] {
  if (unnamed.length === 0) return [];
  const sum = (part: "gained" | "lost") => unnamed.reduce((all, one) => all + one[part], 0);
  const effect = `gain ${formatCount(sum("gained"))} rows and lose ${formatCount(sum("lost"))}`;
  return [`    ${formatCount(unnamed.length)} more ${effect} altogether`];
}

function markExamples(sign: string, examples: readonly string[]): string[] {
  return examples.map((example) => `${sign}${example}`);
}

function formatCount(count: number): string {
  return count.toLocaleString("en");
}
