import type { PlanOptions } from "@supabase/pg-delta/plan";
import type { Platform } from "../../lib/project.ts";

/** Whether an object is in a schema of the platform, or is one. */
export function isOfPlatform(name: string, { schemas }: Platform): boolean {
  return schemas.some((schema) => name === schema || name.startsWith(`${schema}.`));
}

type Policy = NonNullable<PlanOptions["policy"]>;
type Rule = NonNullable<Policy["filter"]>[number];

/**
 * What keeps a plan from what is the platform's: as `catalog/platform.sql` leaves it out of the
 * comparison. Its schemas and roles can be referred to.
 */
export function planOptions({ schemas, roles, extensions }: Platform): PlanOptions {
  if (schemas.length + roles.length + extensions.length === 0) return {};
  const [schema, role, extension] = [[...schemas], [...roles], [...extensions]];
  const exclude = (...all: Rule["match"][]): Rule => ({ match: { all }, action: "exclude" });
  const include = (...all: Rule["match"][]): Rule => ({ match: { all }, action: "include" });
  const policy: Policy = {
    id: "platform",
    assumedSchemas: schema,
    assumedRoles: role,
    filter: [
      exclude({ kind: "extension" }, { name: extension }),
      include({ kind: "extension" }),
      include({ kind: "trigger" }, { schema }, { not: { edgeTo: { kind: "function", schema } } }),
      include({ kind: "policy" }, { schema }),
      include({ kind: "comment" }, { target: { kind: ["policy", "trigger"], schema } }),
      exclude({ schema }),
      exclude({ kind: "schema" }, { name: schema }),
      exclude({ kind: ["acl", "comment", "securityLabel"] }, { target: { schema } }),
      exclude(
        { kind: ["acl", "comment", "securityLabel"] },
        { target: { kind: "schema", name: schema } },
      ),
      exclude({ kind: "publication" }, { owner: role }),
      exclude({ kind: "role" }, { name: role }),
      exclude({ kind: "membership" }, { idField: { field: "member", glob: role } }),
      exclude({ kind: "membership" }, { idField: { field: "role", glob: role } }),
      exclude({ kind: "defaultPrivilege" }, { idField: { field: "role", glob: role } }),
    ],
  };
  return { policy };
}
