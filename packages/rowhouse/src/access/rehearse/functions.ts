import { type ApiRole, apiRoles } from "../model/model.ts";
import type { Rules } from "./changes.ts";
import { findChangedThings, findUsed, type Thing } from "./dependencies.ts";

/** A function that does for a role what it did not do before: what it gives is unknown. */
export interface FunctionChange {
  /** "api.me()" */
  readonly signature: string;
  readonly role: ApiRole;
}

/**
 * The functions of the API that run with their owner's rights, past all policies, and that are
 * new, changed, or newly granted. The others give nothing that the caller's own rights do not.
 */
export function functionChanges(before: Rules, after: Rules): FunctionChange[] {
  const changed = findChangedThings(before.dependencies, after.dependencies);
  const definers = ({ model }: Rules) =>
    model.functions.filter(({ schema, security }) => schema === "api" && security === "definer");
  return definers(after).flatMap(({ name, signature, executableBy }) => {
    const old = definers(before).find((one) => one.signature === signature);
    const differs = reach(name, after.dependencies).some((thing) => changed.includes(thing));
    return apiRoles
      .filter((role) => executableBy.includes(role))
      .filter((role) => differs || !old?.executableBy.includes(role))
      .map((role) => ({ signature, role }));
  });
}

/** A function and those that it calls, as far as their texts show. */
function reach(name: string, things: readonly Thing[]): Thing[] {
  const functions = things.filter(({ kind }) => kind === "function");
  const own = functions.filter((thing) => thing.schema === "api" && thing.name === name);
  return [...own, ...own.flatMap(({ definition }) => findUsed(definition, functions))];
}
