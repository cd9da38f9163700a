import { baselineStart } from "../../stack/baseline.ts";
import { quoteName } from "../catalog/sql.ts";
import { leaveBodiesUnchecked } from "../plan/bodies.ts";
import { guardRole } from "./guard.ts";
import type { Served } from "./served.ts";
import { tidy } from "./write-as-people.ts";

/**
 * The first migration of a project that had a database before: all that the database held.
 *
 * @param statements What leads there from an empty database on the platform.
 * @param roles The roles that requests can have.
 */
export function baselineText(
  statements: readonly string[],
  { schemas }: Served,
  roles: readonly string[],
): string {
  const up = [
    ...statements.map((sql) => guardRole(tidy(sql))),
    ...(schemas.includes("public") ? [hideVersions(roles)] : []),
  ];
  return [
    `${baselineStart}: \`rowhouse init\` read it. A new server
-- gets it from here; that database has it, and records so: \`rowhouse db adopt\`.`,
    "-- migrate:up",
    `-- What a body names may be made further below.\n${leaveBodiesUnchecked};`,
    ...up.map((sql) => `${sql};`),
    "notify pgrst, 'reload schema';",
    "-- migrate:down",
    `-- It would drop every table with its rows.
do $$
begin
  raise exception 'the baseline is not rolled back: it would drop every table' using errcode = 'object_not_in_prerequisite_state';
end
$$;`,
  ]
    .join("\n\n")
    .concat("\n");
}

/** dbmate keeps its table in public: where that is served, default privileges may open it. */
function hideVersions(roles: readonly string[]): string {
  return `revoke all on public.schema_migrations from ${["public", ...roles.map(quoteName)].join(", ")}`;
}
