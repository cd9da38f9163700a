import { evaluate, type Outcome } from "../model/evaluate.ts";
import { type Access, type Gate, sqlOf } from "../model/policy-check.ts";
import type { CheckedCondition, CheckedGate } from "./decide.ts";
import type { Row, Scene } from "./rows.ts";

/**
 * Evaluates the conditions of all gates.
 *
 * @param row The row that is there; null leaves the conditions unevaluated.
 * @param result The row that results; likewise.
 */
export async function checkAccess(
  context: Scene,
  access: Access,
  row: Row | null,
  result: Row | null,
): Promise<CheckedGate[]> {
  const filters = access.filter === null ? [] : [access.filter.gate];
  const overResult = access.result.length === 0 ? [] : filters;
  return [
    ...(await checkGates(context, access.row, { over: "row", onlyFiltered: false }, row)),
    ...(await checkGates(context, filters, { over: "row", onlyFiltered: true }, row)),
    ...(await checkGates(context, access.result, { over: "result", onlyFiltered: false }, result)),
    ...(await checkGates(context, overResult, { over: "result", onlyFiltered: true }, result)),
  ];
}

async function checkGates(
  context: Scene,
  gates: readonly Gate[],
  which: Pick<CheckedGate, "over" | "onlyFiltered">,
  row: Row | null,
): Promise<CheckedGate[]> {
  const done: CheckedGate[] = [];
  for (const gate of gates) done.push(await checkedGate(context, gate, which, row));
  return done;
}

async function checkedGate(
  context: Scene,
  gate: Gate,
  which: Pick<CheckedGate, "over" | "onlyFiltered">,
  row: Row | null,
): Promise<CheckedGate> {
  const { verb, open, permissive, restrictive } = gate;
  const conditions: CheckedCondition[] = [];
  // Without row-level security the policies are there, and have no say.
  for (const condition of open ? [] : [...permissive, ...restrictive]) {
    conditions.push({ ...condition, outcome: await outcomeOf(context, condition.sql, row) });
  }
  const fails = conditions.some(({ outcome }) => outcome?.value === "fails");
  const together = fails ? await outcomeOf(context, sqlOf([gate]), row) : null;
  return { verb, ...which, open, conditions, together };
}

async function outcomeOf(
  { client, relation, asker, asRole }: Scene,
  sql: string,
  row: Row | null,
): Promise<Outcome | null> {
  if (row === null) return null;
  return evaluate(client, { table: relation.name, sql, row: row.text }, asker, asRole);
}
