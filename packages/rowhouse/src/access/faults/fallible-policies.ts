import type pg from "pg";
import { readableName } from "../../lib/readable-name.ts";
import type { AccessModel, Policy, Relation } from "../model/model.ts";
import { findFallible, raisesError, type Surroundings } from "./fallible.ts";
import type { Fault } from "./fault.ts";
import type { FailingRequest } from "./report.ts";

/**
 * Finds the policies that raise an error for some rows or claims, by their expressions: the few rows
 * that are tried need not be such.
 *
 * @param failing What was seen to fail: its policies are named there.
 */
export async function findFalliblePolicies(
  client: pg.ClientBase,
  { relations }: AccessModel,
  failing: readonly FailingRequest[],
): Promise<Fault[]> {
  const raising = await readRaising(client);
  const seen = new Set(
    failing.flatMap(({ table, policies }) => policies.map((name) => `${table} ${name}`)),
  );
  return relations.flatMap((relation) => {
    const columns = new Map(relation.columns.map(({ name, type }) => [name, type]));
    return relation.policies
      .filter(
        ({ name, appliesTo }) => appliesTo.length > 0 && !seen.has(`${relation.fullName} ${name}`),
      )
      .flatMap((policy) => toFaults(relation, policy, { columns, raising }));
  });
}

function toFaults({ fullName }: Relation, policy: Policy, around: Surroundings): Fault[] {
  const reasons = [policy.using, policy.check].flatMap((sql) =>
    sql === null ? [] : findFallible(sql, around),
  );
  if (reasons.length === 0) return [];
  const object = `${fullName}.${readableName(policy.name)}`;
  const what = [...new Set(reasons)].join("; ");
  return [
    {
      rule: "fallible_policies",
      level: "note",
      object,
      finding: `the policy can fail for some rows or claims: it ${what}`,
      effect: "A request that meets one fails, also a list of other rows",
      remedy:
        "case when ... then ... end around it, or nullif(..., 0). Where no row can be like that, switch the note off with the reason.",
      keys: [`fallible_policies ${object} ${what}`],
    },
  ];
}

/** The functions in PL/pgSQL that raise an error of their own. */
async function readRaising(client: pg.ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select nspname || '.' || proname as name, pg_get_functiondef(pg_proc.oid) as definition
     from pg_catalog.pg_proc
     join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
     join pg_catalog.pg_language on pg_language.oid = prolang
     where lanname = 'plpgsql'
     and prokind = 'f'
     and pg_proc.oid >= 16384
     and prosrc ~* '\\mraise\\M'`,
  );
  return new Set(rows.filter((one) => raisesError(one.definition)).map(({ name }) => name));
}
