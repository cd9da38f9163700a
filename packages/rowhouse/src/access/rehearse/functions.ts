import type { ApiFunction, ApiRole } from "../model/model.ts";
import type { Rules } from "./changes.ts";
import { type Dependencies, findChangedThings, findReach } from "./dependencies.ts";

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
    model.functions.filter(
      ({ schema, security }) => model.names.schemas.includes(schema) && security === "definer",
    );
  return definers(after).flatMap((called) => {
    const { signature, executableBy } = called;
    const old = definers(before).find((one) => one.signature === signature);
    const reach = findOwnReach(called, after.dependencies);
    const differs =
      (reach.anything && changed.length > 0) ||
      reach.things.some((thing) => changed.includes(thing));
    return after.model.names.roles
      .filter((role) => executableBy.includes(role))
      .filter((role) => differs || !old?.executableBy.includes(role))
      .map((role) => ({ signature, role }));
  });
}

/** What a function rests on but policies and grants, since it is past these. */
function findOwnReach({ schema, name }: ApiFunction, dependencies: Dependencies) {
  const ids = dependencies.things
    .filter((thing) => thing.kind === "function" && thing.schema === schema && thing.name === name)
    .map(({ id }) => id);
  return findReach(dependencies, ids, () => true);
}
