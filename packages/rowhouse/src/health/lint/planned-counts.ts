import { randomUUID } from "node:crypto";
import type pg from "pg";
import { type ApiRole, type Relation, readAccess } from "../../access/model/model.ts";
import { sqlName } from "../../access/model/names.ts";
import { canBecome } from "../../access/model/session.ts";
import { errorCode } from "../../lib/errors.ts";
import type { Rule } from "./rule.ts";

/** The rule about estimates of rows that a caller may not see: it is found by explaining. */
export const plannedCounts: Omit<Rule, "query"> = {
  name: "planned_counts",
  level: "error",
  scope: "convention",
  why: "Prefer: count=planned and count=estimated answer with the planner's estimate, which knows the rows of all users (docs/adr/0014-planned-counts-refused.md). PostgreSQL explained a query of each table and view for each role of the API, as PostgREST does, and it was not refused.",
  remedy:
    "Let the select policy compare with request.user_id() itself, or begin with request.plannable() and ...; a view, too, can have it in its where clause. A function that is not inlined (PL/pgSQL, security definer, one with a SET clause) hides it from the planner.",
  cost: "Each table and view; it is counted only.",
};

/** A table or view that answers. */
interface Found {
  readonly rule: string;
  readonly object: string;
  readonly finding: string;
}

/**
 * Finds the tables and views whose planned counts a role of the API gets.
 *
 * @param client In a transaction, whose search path it empties. Nothing is read.
 */
export async function findPlannedCounts(client: pg.ClientBase): Promise<Found[]> {
  const { names, relations } = await readAccess(client);
  const found: Found[] = [];
  for (const role of names.roles) {
    if (!(await canBecome(client, role))) continue;
    for (const relation of relations.filter(
      (one) => maySelect(one, role) && hidesRows(one, role),
    )) {
      if (!(await isEstimated(client, relation, role))) continue;
      const finding = `${role} gets planned counts, over the rows of all users`;
      found.push({
        rule: plannedCounts.name,
        object: relation.fullName,
        finding,
      });
    }
  }
  return found;
}

function maySelect({ usableBy, grants }: Relation, role: ApiRole): boolean {
  return (
    usableBy.includes(role) &&
    grants.some((grant) => grant.role === role && grant.verb === "select" && grant.columns !== null)
  );
}

/** Whether there may be rows that a role does not see. Of a view it is not known. */
function hidesRows(relation: Relation, role: ApiRole): boolean {
  // To plan for a foreign table can ask another server: the rule row_security is about those.
  if (relation.kind === "foreign table") return false;
  if (relation.kind !== "table") return true;
  if (!relation.rowSecurity || relation.bypassedBy.includes(role)) return false;
  const policies = relation.policies.filter(
    ({ verb, appliesTo }) => (verb === "select" || verb === "all") && appliesTo.includes(role),
  );
  const showsAll = policies.some(({ permissive, using }) => permissive && using === "true");
  return !showsAll || policies.some(({ permissive }) => !permissive);
}

/** Whether a request gets an estimate. What fails otherwise is the rule failing_requests'. */
async function isEstimated(
  client: pg.ClientBase,
  relation: Relation,
  role: ApiRole,
): Promise<boolean> {
  await client.query("savepoint explaining; set local lock_timeout = '1s'");
  try {
    const explain = `explain (format json) select 1 from ${sqlName(relation)}`;
    const claims = JSON.stringify({ role, sub: randomUUID() });
    await client.query("select set_config('request.jwt.claims', $1, true)", [claims]);
    await client.query("select set_config('role', $1, true)", [role]);
    // A connection that has planned it before: a function in it then keeps its plan.
    await client.query(explain);
    await client.query("set local request.method = 'GET'");
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Plan }] }>(explain);
    return rows.some((row) => !isEmpty(row["QUERY PLAN"][0].Plan));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  } finally {
    await client.query("rollback to savepoint explaining");
  }
}

/** The part of PostgreSQL's plan that is looked at. */
interface Plan {
  readonly "Node Type": string;
  readonly Plans?: readonly Plan[];
}

/** Where no policy is for the role, there is no row whatever the table holds. */
function isEmpty(plan: Plan): boolean {
  return plan["Node Type"] === "Result" && plan.Plans === undefined;
}
