import type { Outcome } from "../model/evaluate.ts";
import type { Policy, Relation, Verb } from "../model/model.ts";
import type { Access } from "../model/policy-check.ts";

/** Whether the caller may. "depends": on the row, and none was named. */
export type Verdict = "yes" | "no" | "depends" | "unknown";

/** A verdict, and why, in one sentence. */
export interface Decision {
  readonly verdict: Verdict;
  readonly reason: string;
  /** Of a "no": whether the request fails with an error, and is not just refused or without the row. */
  readonly fails?: true;
}

/** A "no" for a request that fails: the sentence of its cause. */
export function failure(cause: string): Decision {
  return { verdict: "no", reason: `the request fails, since ${cause}`, fails: true };
}

/** A policy's condition, evaluated. */
export interface CheckedCondition {
  readonly policy: Policy;
  readonly sql: string;
  /** Null when no row was named. */
  readonly outcome: Outcome | null;
}

/** A policy check, with its conditions evaluated over a row. */
export interface CheckResult {
  readonly verb: Verb;
  /** Whether it holds only a request that filters the rows it changes. */
  readonly onlyFiltered: boolean;
  /** The row that is there, the one that results, or of an upsert the one that is to be inserted. */
  readonly over: "row" | "result" | "new";
  readonly open: boolean;
  readonly conditions: readonly CheckedCondition[];
  /**
   * All conditions as one, where one of them fails or is unknown alone: PostgreSQL leaves out what cannot
   * matter ("true or ..."), so the request need not fail. Else null.
   */
  readonly together: Outcome | null;
}

/**
 * What is missing of grants, in a sentence; null when nothing is.
 *
 * @param written The columns that the request names.
 */
export function missingGrant(
  relation: Relation,
  { role, verb, columns }: Access,
  written: readonly string[],
): string | null {
  const table = relation.fullName;
  if (!relation.usableBy.includes(role))
    return `${role} may not use the schema ${relation.schema}.`;
  if (columns === null) return `${role} has no grant to ${verb} on ${table}.`;
  const refused = written.filter((column) => !columns.includes(column));
  if (refused.length > 0)
    return `${role} has no grant to ${verb} (${refused.join(", ")}) on ${table}.`;
  return null;
}

/**
 * What is missing to filter the rows of an update or delete; null when nothing is.
 *
 * @param by The columns by which a request names its row.
 */
export function missingFilterGrant(
  relation: Relation,
  { role, filter }: Access,
  by: readonly string[],
): string | null {
  if (filter === null) return null;
  const { columns } = filter;
  const refused = by.filter((name) => !columns?.includes(name));
  if (columns !== null && refused.length === 0) return null;
  const what =
    columns === null || refused.length === 0 ? "select" : `select (${refused.join(", ")})`;
  return `${role} has no grant to ${what} on ${relation.fullName}, by which a request names its row.`;
}

/**
 * Combines the checks: the row has to pass each.
 *
 * @param missing What is missing of grants, or why the request fails in any case; null when nothing is.
 */
export function decide(
  verb: Verb,
  checks: readonly CheckResult[],
  missing: string | Decision | null,
): Decision {
  if (typeof missing === "string") return { verdict: "no", reason: missing };
  if (missing !== null) return missing;
  const decisions = checks.map((check) => decideCheck(verb, check));
  for (const verdict of ["no", "unknown", "depends"] as const) {
    const first = decisions.find((decision) => decision.verdict === verdict);
    if (first !== undefined) return first;
  }
  return { verdict: "yes", reason: reasonToPass(checks) };
}

function reasonToPass(checks: readonly CheckResult[]): string {
  if (checks.some(({ open }) => open))
    return "no row-level security holds here, and it is granted.";
  const passing = checks.flatMap(({ conditions }) =>
    conditions.filter(({ policy, outcome }) => policy.permissive && outcome?.value === "true"),
  );
  return `${names(passing)} ${passing.length === 1 ? "lets" : "let"} it pass, and it is granted.`;
}

/** One check: any of the permissive policies, and all of the restrictive ones. */
function decideCheck(verb: Verb, check: CheckResult): Decision {
  if (check.open) return { verdict: "yes", reason: "" };
  if (!check.conditions.some(({ policy }) => policy.permissive))
    return { verdict: "no", reason: `there is no permissive policy ${purpose(verb, check)}.` };
  const failing = findFailure(check);
  if (failing !== null) return failure(`${failing}, ${purpose(verb, check)}.`);
  const refusal = findRefusal(check);
  if (refusal !== null) return { verdict: "no", reason: `${refusal} ${purpose(verb, check)}.` };
  if (check.conditions.some(({ outcome }) => outcome === null)) {
    return { verdict: "depends", reason: "it depends on the row, and none was named." };
  }
  const unclear = check.conditions.find(({ outcome }) => outcome?.value === "unknown");
  const passes = check.conditions.some(
    ({ policy, outcome }) => policy.permissive && outcome?.value === "true",
  );
  if (unclear !== undefined && !(passes && isSpared(unclear, check))) {
    const reason = `${names([unclear])} cannot be evaluated: ${unclear.outcome?.reason}.`;
    return { verdict: "unknown", reason };
  }
  if (passes) return { verdict: "yes", reason: "" };
  return { verdict: "no", reason: `no permissive policy lets it pass ${purpose(verb, check)}.` };
}

/** Whether PostgreSQL knows the answer before it gets to a condition, which could fail. */
function isSpared({ policy }: CheckedCondition, { conditions, together }: CheckResult): boolean {
  const everyRow = conditions.some((one) => one.policy.permissive && one.sql === "true");
  return policy.permissive && (everyRow || together?.value === "true");
}

/** Which policy raises which error, so that the request fails; null when none does. */
function findFailure({ conditions, together }: CheckResult): string | null {
  const failing = conditions.find((one) => failsRequest(one, conditions, together));
  if (!failing?.outcome) return null;
  const { code, reason } = failing.outcome;
  const raised = code === undefined ? "an error" : code;
  return `${names([failing])} raises ${raised} (${reason})`;
}

/** What refuses a row whatever the conditions that are not evaluated; null when nothing does. */
function findRefusal({ conditions }: CheckResult): string | null {
  const refusing = conditions.filter(
    ({ policy, outcome }) =>
      !policy.permissive && (outcome?.value === "false" || outcome?.value === "null"),
  );
  if (refusing.length === 0) return null;
  return `the restrictive ${names(refusing)} ${refusing.length === 1 ? "refuses" : "refuse"} it`;
}

/**
 * Whether a condition that fails alone fails the request. Where the whole cannot be evaluated,
 * only a permissive "true" is taken to spare PostgreSQL the others.
 */
function failsRequest(
  { policy, outcome }: CheckedCondition,
  conditions: CheckResult["conditions"],
  together: Outcome | null,
): boolean {
  if (outcome?.value !== "fails") return false;
  if (together?.value !== "unknown") return together?.value === "fails";
  const everyRow = conditions.some((one) => one.policy.permissive && one.sql === "true");
  return !(policy.permissive && everyRow);
}

function purpose(verb: Verb, check: CheckResult): string {
  const when = check.over === "result" && verb === "update" ? " as it would be afterwards" : "";
  return `for ${check.verb}${when}`;
}

function names(conditions: readonly CheckedCondition[]): string {
  return [...new Set(conditions.map(({ policy }) => policy.name))].join(", ");
}
