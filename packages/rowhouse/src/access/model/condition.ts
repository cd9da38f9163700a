import type { PolicyCheck } from "./policy-check.ts";
import { simplify } from "./simplify.ts";

/**
 * What a row has to pass, as a person would write it: the conditions of all checks as one, each
 * once; "true" or "false" where it is decided.
 */
export function formatCondition(checks: readonly PolicyCheck[]): string {
  const clauses = new Set(checks.flatMap(listClauses).filter((clause) => !isTrue(clause)));
  if (clauses.has("false")) return "false";
  return joinConditions([...clauses], "and") || "true";
}

/** What a row has to pass, all of it. */
function listClauses({ open, permissive, restrictive }: PolicyCheck): string[] {
  if (open) return [];
  const either = [...new Set(permissive.map(({ sql }) => simplify(sql)))];
  const all = restrictive.map(({ sql }) => simplify(sql));
  if (either.some(isTrue)) return all;
  const possible = either.filter((one) => one !== "false");
  return [joinConditions(possible, "or") || "false", ...all];
}

/** Conditions joined, with parentheses where they are needed. */
function joinConditions(conditions: readonly string[], word: "and" | "or"): string {
  return simplify(conditions.map((condition) => `(${condition})`).join(` ${word} `));
}

function isTrue(condition: string): boolean {
  return condition === "true";
}
