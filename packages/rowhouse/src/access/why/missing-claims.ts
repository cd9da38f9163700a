import type pg from "pg";
import type { Caller } from "../model/caller.ts";
import type { AccessModel } from "../model/model.ts";
import { findTable } from "../model/names.ts";
import { findPolicyReach } from "../rehearse/changes.ts";
import { readDependencies } from "../rehearse/dependencies.ts";
import type { Question } from "./question.ts";

/**
 * The claims that the policies read and a caller's token lacks. A request without a token is known to
 * have no claims, so that none is missing.
 */
export async function findMissingClaims(
  client: pg.ClientBase,
  model: AccessModel,
  { verb, table, claims = {} }: Question,
  caller: Caller,
): Promise<string[]> {
  const { names } = model;
  if (caller.role === names.anonymous && Object.keys(claims).length === 0) return [];
  const rules = { model, dependencies: await readDependencies(client, names) };
  const relation = findTable(model, table);
  const actions = verb === "update" ? (["update", "update (result)"] as const) : [verb];
  const read = actions.flatMap(
    (action) => findPolicyReach(rules, { table: relation.label, role: caller.role, action }).claims,
  );
  const named = read.filter((claim) => claim !== null);
  return [...new Set(named)].filter((claim) => !Object.hasOwn(caller.claims, claim));
}
