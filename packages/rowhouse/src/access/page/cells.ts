import { conditionOf } from "../model/condition.ts";
import type { ApiFunction, ApiRole, Relation, Verb } from "../model/model.ts";
import { accessOf } from "../model/policy-check.ts";

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
  if (relation.asksAsInvoker) return { reach: "some", parts: [words("as its tables allow")] };
  const before = conditionOf(row);
  const after = conditionOf(result);
  const told = verb === "insert" ? [after] : [before];
  // What a row may become goes without saying where it is what the row has to be.
  if (verb === "update" && after !== before) told.push(after);
  return {
    reach: told.includes("false")
      ? "closed"
      : told.every((one) => one === "true")
        ? "every"
        : "some",
    parts: told.flatMap((condition, index) =>
      index === 0
        ? [partOf(condition, "every row", "no row")]
        : [words("; becoming "), partOf(condition, "anything", "nothing")],
    ),
  };
}

/** @returns Whether a role may call a function. */
export function callCell({ executableBy, security }: ApiFunction, role: ApiRole): Cell {
  if (!executableBy.includes(role)) return { reach: "closed", parts: [words("nothing")] };
  const rights = security === "definer" ? ", with its owner's rights" : "";
  return { reach: "callable", parts: [words(`may call it${rights}`)] };
}

/** A cell as one line of text. */
export function textOf({ parts }: Cell): string {
  return parts.map(({ text }) => text).join("");
}

function partOf(condition: string, whenTrue: string, whenFalse: string): Part {
  if (condition === "true") return words(whenTrue);
  return condition === "false" ? words(whenFalse) : { text: condition, isSql: true };
}

function words(text: string): Part {
  return { text, isSql: false };
}
