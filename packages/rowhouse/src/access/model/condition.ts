import type { Gate } from "./policy-check.ts";
import { readable } from "./simplify.ts";

/**
 * What a row has to pass, as a person would write it: the conditions of all gates as one, each said
 * once; "true" or "false" where it is decided.
 */
export function conditionOf(gates: readonly Gate[]): string {
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

function isTrue(condition: string): boolean {
  return condition === "true";
}
