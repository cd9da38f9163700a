import { evaluate, type Outcome } from "../model/evaluate.ts";
import { type Access, type PolicyCheck, toSql } from "../model/policy-check.ts";
import type { CheckedCondition, CheckResult } from "./decide.ts";
import type { Row, Scene } from "./rows.ts";

/**
 * Evaluates the conditions of all checks.
 *
 * @param row The row that is there; null leaves the conditions unevaluated.
 * @param result The row that results; likewise.
 */
export async function checkAccess(
  context: Scene,
  access: Access,
  row: Row | null,
  result: Row | null,
): Promise<CheckResult[]> {
  const filters = access.filter === null ? [] : [access.filter.check];
  const overResult = access.result.length === 0 ? [] : filters;
  return [
    ...(await runChecks(context, access.row, { over: "row", onlyFiltered: false }, row)),
    ...(await runChecks(context, filters, { over: "row", onlyFiltered: true }, row)),
    ...(await runChecks(context, access.result, { over: "result", onlyFiltered: false }, result)),
    ...(await runChecks(context, overResult, { over: "result", onlyFiltered: true }, result)),
  ];
}

async function runChecks(
  context: Scene,
  checks: readonly PolicyCheck[],
  which: Pick<CheckResult, "over" | "onlyFiltered">,
  row: Row | null,
): Promise<CheckResult[]> {
  const done: CheckResult[] = [];
  for (const check of checks) done.push(await runCheck(context, check, which, row));
  return done;
}

async function runCheck(
  context: Scene,
  check: PolicyCheck,
  which: Pick<CheckResult, "over" | "onlyFiltered">,
  row: Row | null,
): Promise<CheckResult> {
  const { verb, open, permissive, restrictive } = check;
  const conditions: CheckedCondition[] = [];
  // Without row-level security the policies are there, and do not apply.
  for (const condition of open ? [] : [...permissive, ...restrictive]) {
    conditions.push({
      ...condition,
      outcome: await evaluateCondition(context, condition.sql, row),
    });
  }
  const fails = conditions.some(({ outcome }) => outcome?.value === "fails");
  const together = fails ? await evaluateCondition(context, toSql([check]), row) : null;
  return { verb, ...which, open, conditions, together };
}

async function evaluateCondition(
  { client, relation, caller, asRole }: Scene,
  sql: string,
  row: Row | null,
): Promise<Outcome | null> {
  if (row === null) return null;
  return evaluate(client, { table: relation.name, sql, row: row.text }, caller, asRole);
}
