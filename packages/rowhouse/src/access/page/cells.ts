import { formatCondition } from "../model/condition.ts";
import type { ApiFunction, ApiRole, Relation, Verb } from "../model/model.ts";
import { getAccess } from "../model/policy-check.ts";

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
export function getCell(relation: Relation, role: ApiRole, verb: Verb): Cell {
  const { columns, row, result } = getAccess(relation, role, verb);
  if (columns === null) return { reach: "closed", parts: [toText("nothing")] };
  if (relation.asksAsInvoker) return { reach: "some", parts: [toText("as its tables allow")] };
  const before = formatCondition(row);
  const after = formatCondition(result);
  const conditions = verb === "insert" ? [after] : [before];
  // What a row may become goes without saying where it is what the row has to be.
  if (verb === "update" && after !== before) conditions.push(after);
  return {
    reach: conditions.includes("false")
      ? "closed"
      : conditions.every((one) => one === "true")
        ? "every"
        : "some",
    parts: conditions.flatMap((condition, index) =>
      index === 0
        ? [toPart(condition, "every row", "no row")]
        : [toText("; becoming "), toPart(condition, "anything", "nothing")],
    ),
  };
}

/** @returns Whether a role may call a function. */
export function getCallCell({ executableBy, security }: ApiFunction, role: ApiRole): Cell {
  if (!executableBy.includes(role)) return { reach: "closed", parts: [toText("nothing")] };
  const rights = security === "definer" ? ", with its owner's rights" : "";
  return { reach: "callable", parts: [toText(`may call it${rights}`)] };
}

/** A cell as one line of text. */
export function formatCell({ parts }: Cell): string {
  return parts.map(({ text }) => text).join("");
}

function toPart(condition: string, whenTrue: string, whenFalse: string): Part {
  if (condition === "true") return toText(whenTrue);
  return condition === "false" ? toText(whenFalse) : { text: condition, isSql: true };
}

function toText(text: string): Part {
  return { text, isSql: false };
}
