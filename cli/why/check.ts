import { evaluate, type Outcome } from "../access/evaluate.ts";
import { type Gate, sqlOf } from "../access/gate.ts";
import type { CheckedCondition, CheckedGate } from "./decide.ts";
import type { Row, Scene } from "./rows.ts";

/**
 * Evaluates the conditions of gates.
 *
 * @param over Which row it is: the one that is there, or the one that results.
 * @param row Null leaves them unevaluated.
 */
export async function checkGates(
  context: Scene,
  gates: readonly Gate[],
  over: "row" | "result",
  row: Row | null,
): Promise<CheckedGate[]> {
  const done: CheckedGate[] = [];
  for (const gate of gates) done.push(await checkedGate(context, gate, over, row));
  return done;
}

async function checkedGate(
  context: Scene,
  gate: Gate,
  over: "row" | "result",
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
  return { verb, over, open, conditions, together };
}

async function outcomeOf(
  { client, relation, asker, asRole }: Scene,
  sql: string,
  row: Row | null,
): Promise<Outcome | null> {
  if (row === null) return null;
  return evaluate(client, { table: relation.name, sql, row: row.text }, asker, asRole);
}
