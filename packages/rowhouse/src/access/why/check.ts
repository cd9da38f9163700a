import { evaluate, type Outcome, type SystemColumn } from "../model/evaluate.ts";
import type { Relation } from "../model/model.ts";
import { type Access, getAccess, type PolicyCheck, toSql } from "../model/policy-check.ts";
import type { CheckedCondition, CheckResult } from "./decide.ts";
import type { Row, Scene } from "./rows.ts";
import { findNewSystemColumns, findSystemColumns } from "./system-columns.ts";

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

/**
 * Evaluates the policies of select over the row that a request wants back: the one that results.
 */
export async function checkReturned(
  context: Scene,
  { role }: Access,
  result: Row | null,
): Promise<CheckResult[]> {
  return runChecks(context, selectChecks(context.relation, role), always("result"), result);
}

/**
 * Evaluates what an upsert has to pass (CREATE POLICY, "Policies Applied by Command Type"): it reads
 * the key, so that the policies of select count throughout.
 *
 * @param rows The row to insert, the one in its way, and that one afterwards; the last two are
 *   undefined when there is none in its way, and null when none was named.
 */
export async function checkUpsert(
  context: Scene,
  access: Access,
  rows: { made: Row | null; existing: Row | null | undefined; result: Row | null | undefined },
): Promise<CheckResult[]> {
  const { relation } = context;
  const select = selectChecks(relation, access.role);
  const update = getAccess(relation, access.role, "update");
  const inserted = [...access.result, ...select];
  const checks = await runChecks(context, inserted, always("new"), rows.made);
  if (rows.existing === undefined || rows.result === undefined) return checks;
  const changed = [...update.row, ...select];
  const resulting = [...update.result, ...select];
  return [
    ...checks,
    ...(await runChecks(context, changed, always("row"), rows.existing)),
    ...(await runChecks(context, resulting, always("result"), rows.result)),
  ];
}

function always(over: CheckResult["over"]) {
  return { over, onlyFiltered: false } as const;
}

function selectChecks(relation: Relation, role: Access["role"]): readonly PolicyCheck[] {
  return getAccess(relation, role, "select").row;
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
  let isJudged = false;
  // Without row-level security the policies are there, and do not apply.
  for (const condition of open ? [] : [...permissive, ...restrictive]) {
    const { policy, sql } = condition;
    const judged =
      row === null
        ? null
        : (context.rights?.judgePolicy(context.relation, policy.name, sql) ?? null);
    isJudged ||= judged !== null;
    const outcome = judged ?? (await evaluateCondition(context, sql, which.over, row));
    conditions.push({ ...condition, outcome });
  }
  const isUnsure = conditions.some(({ outcome }) =>
    ["fails", "unknown"].includes(outcome?.value ?? ""),
  );
  // PostgreSQL evaluates permissive policies by their names, the last one first.
  const asEvaluated = { ...check, permissive: [...permissive].reverse() };
  const together = isJudged
    ? undecided
    : isUnsure
      ? await evaluateCondition(context, toSql([asEvaluated]), which.over, row)
      : null;
  return { verb, ...which, open, conditions, together };
}

/** What conditions come to together of which one cannot be evaluated with the rights of the session. */
const undecided: Outcome = { value: "unknown", reason: null };

async function evaluateCondition(
  { client, relation, caller, asRole }: Scene,
  sql: string,
  over: CheckResult["over"],
  row: Row | null,
): Promise<Outcome | null> {
  if (row === null) return null;
  const findSystem = (names: readonly SystemColumn[]) =>
    over === "row"
      ? findSystemColumns(client, relation, row.place, names)
      : findNewSystemColumns(client, relation, row.place);
  const condition = { table: relation, sql, row: row.text, findSystem };
  return evaluate(client, condition, caller, asRole);
}
