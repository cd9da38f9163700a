import { accessOf, type Gate } from "../gate.ts";
import type { ApiRole, Relation, Verb } from "../model.ts";
import { readable } from "../readable.ts";

/** How far a role gets with a verb: nowhere, to the rows that pass a condition, to all. */
export type Reach = "closed" | "some" | "every" | "callable";

/** What a role may do with a verb on a table, for a reader. */
export interface Cell {
  readonly reach: Reach;
  /** Words, and SQL, one after the other. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly text: string;
  readonly isSql: boolean;
}

/** @returns What a role may do with a verb on a table. */
export function cellOf(relation: Relation, role: ApiRole, verb: Verb): Cell {
  const { columns, row, result } = accessOf(relation, role, verb);
  if (columns === null) return { reach: "closed", parts: [words("nothing")] };
  const before = conditionOf(row);
  const after = conditionOf(result);
  const told = verb === "insert" ? [after] : [before];
  // What a row may become goes without saying where it is what the row has to be.
  if (verb === "update" && after !== before) told.push(after);
  return {
    reach: told.includes("false") ? "closed" : told.every(isTrue) ? "every" : "some",
    parts: told.flatMap((condition, index) =>
      index === 0
        ? [partOf(condition, "every row", "no row")]
        : [words("; becoming "), partOf(condition, "anything", "nothing")],
    ),
  };
}

/** @returns Whether a role may call a function. */
export function callCell(executableBy: readonly ApiRole[], role: ApiRole): Cell {
  return executableBy.includes(role)
    ? { reach: "callable", parts: [words("may call it")] }
    : { reach: "closed", parts: [words("nothing")] };
}

/** A cell as one line of text. */
export function textOf({ parts }: Cell): string {
  return parts.map(({ text }) => text).join("");
}

/** The condition of all gates as one, said once; "true" or "false" where it is decided. */
function conditionOf(gates: readonly Gate[]): string {
  const clauses = new Set(gates.flatMap(clausesOf).filter((clause) => !isTrue(clause)));
  if (clauses.has("false")) return "false";
  return joined([...clauses], "and") || "true";
}

/** What a row has to pass, all of it. */
function clausesOf({ open, permissive, restrictive }: Gate): string[] {
  if (open) return [];
  const either = [...new Set(permissive.map(({ sql }) => readable(sql)))];
  const all = restrictive.map(({ sql }) => readable(sql));
  if (either.some(isTrue)) return all;
  const possible = either.filter((one) => one !== "false");
  return [joined(possible, "or") || "false", ...all];
}

/** Conditions joined, with parentheses where they are needed. */
function joined(conditions: readonly string[], word: "and" | "or"): string {
  return readable(conditions.map((condition) => `(${condition})`).join(` ${word} `));
}

function partOf(condition: string, whenTrue: string, whenFalse: string): Part {
  if (isTrue(condition)) return words(whenTrue);
  return condition === "false" ? words(whenFalse) : { text: condition, isSql: true };
}

function words(text: string): Part {
  return { text, isSql: false };
}

function isTrue(condition: string): boolean {
  return condition === "true";
}
