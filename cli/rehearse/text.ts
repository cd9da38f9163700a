import { colours } from "../colours.ts";
import type { Rehearsal, RehearsedChange } from "./rehearse.ts";

/** A rehearsal in lines for people. */
export function tell({ changes, users, gains, unclear }: Rehearsal): string[] {
  if (changes.length === 0) return ["No access changes."];
  const tables = [...new Set(changes.map(({ table }) => table))];
  return [
    ...tables.flatMap((table) => [
      colours.bold(`api.${table}`),
      ...changes.filter((change) => change.table === table).flatMap(changeLines),
      "",
    ]),
    ...(users.looked > 0 ? [`Looked at ${users.looked} of ${grouped(users.total)} users.`] : []),
    conclusion(gains, unclear),
  ];
}

function conclusion(gains: boolean, unclear: boolean): string {
  if (gains && unclear)
    return colours.red("Somebody gains access, and of some changes nobody can tell.");
  if (gains) return colours.red("Somebody gains access.");
  if (unclear) return colours.yellow("Whether anybody gains access cannot be told.");
  return colours.green("Nobody who was looked at gains a row or a column that is there.");
}

function changeLines(change: RehearsedChange): string[] {
  const { deed, role, before, after, obstacle, isNewTable } = change;
  const title = `  ${colours.cyan(titleOf(deed))}, ${role}`;
  if (isNewTable) return [`${title}: ${after.words} (new table: nothing to compare)`];
  const words = before.words === after.words ? after.words : `${before.words}  ->  ${after.words}`;
  return [
    `${title}: ${words}`,
    ...columnLines(change),
    ...(obstacle === null
      ? effectLines(change)
      : [`    ${colours.yellow("cannot tell")}: ${obstacle}.`]),
  ];
}

function titleOf(deed: string): string {
  if (deed === "insert") return "insert (rows like these)";
  return deed === "update (result)" ? "update (result: rows turned into these)" : deed;
}

function columnLines({ deed, columnsGained, columnsLost }: RehearsedChange): string[] {
  const line = (word: string, columns: readonly string[]) =>
    columns.length === 0 ? [] : [`    ${word} ${deed}: ${columns.join(", ")}`];
  return [...line(colours.red("may now"), columnsGained), ...line("may no longer", columnsLost)];
}

function effectLines({ before, after, effects, isEmpty }: RehearsedChange): string[] {
  if (before.sql === after.sql) return [];
  if (isEmpty) return ["    no rows to show it on"];
  const affected = effects.filter(({ gained, lost }) => gained + lost > 0);
  const others = effects.length - affected.length;
  const rest = [`    ${grouped(others)} ${affected.length > 0 ? "more " : ""}looked at: no change`];
  return [...(affected.length > 0 ? table(affected) : []), ...(others > 0 ? rest : [])];
}

function table(effects: RehearsedChange["effects"]): string[] {
  const width = Math.max(4, ...effects.map(({ who }) => who.length));
  const cell = (text: string) => text.padStart(11);
  return [
    colours.dim(
      `    ${"who".padEnd(width)}${["gains", "loses", "keeps"].map(cell).join("")}  examples`,
    ),
    ...effects.map(({ who, gained, lost, kept, examples }) => {
      const counts = [gained, lost, kept].map((count) => cell(grouped(count))).join("");
      const shown = [...marked("+", examples.gained), ...marked("-", examples.lost)];
      return `    ${who.padEnd(width)}${counts}  ${shown.join(" ")}`;
    }),
  ];
}

function marked(sign: string, examples: readonly string[]): string[] {
  return examples.map((example) => `${sign}${example}`);
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
