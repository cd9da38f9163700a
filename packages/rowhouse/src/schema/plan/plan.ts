import { plan } from "@supabase/pg-delta/plan";
import { defaultPrivilegeStatements } from "./default-privileges.ts";
import { formatStatement } from "./format.ts";
import { grantStatements } from "./grants.ts";
import { preferSources } from "./prefer-source.ts";
import { withoutDropped } from "./recreated.ts";
import { createIfMissing, getRoles } from "./roles.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Sources } from "./sources.ts";
import { statisticsStatements } from "./statistics.ts";

/**
 * The statements that lead from one database to another, in order, without semicolons. That they
 * arrive is for a proof to show: see prove.ts.
 *
 * pg-delta plans; three things are ours: privileges (it writes them a column at a time, and takes the
 * built-in default privileges for those of a schema),
 * statistics targets (it does not know them), and the owner, which is the role that runs the migration.
 *
 * @param sources How people wrote what is to be made. It is used where there is something;
 *   without it, the statements are PostgreSQL's own.
 */
export function planChanges(from: Snapshot, to: Snapshot, sources?: Sources): string[] {
  const { actions } = plan(from.facts, to.facts);
  const roles = new Set([...getRoles(from.catalog), ...getRoles(to.catalog)]);
  const statements = actions
    .filter(({ sql }) => !isHandledElsewhere(sql) && !isOfOtherRole(sql, roles))
    .map(({ sql }) => formatStatement(sql, to.keywords))
    .map(createIfMissing);
  const catalogs = { before: from.catalog, after: to.catalog };
  return [
    ...(sources ? preferSources(statements, sources, catalogs) : statements),
    ...statisticsStatements(from.statistics, to.statistics),
    ...defaultPrivilegeStatements(from.privileges.defaults, to.privileges.defaults, (schema) =>
      to.privileges.objects.has(`schema ${schema}`),
    ),
    ...grantStatements(withoutDropped(from.privileges, statements), to.privileges),
  ];
}

/** Roles belong to the server: those that are not of the API are none of our business. */
function isOfOtherRole(sql: string, roles: ReadonlySet<string>): boolean {
  const [, name] =
    /^(?:CREATE|ALTER|DROP) ROLE "([^"]+)"/.exec(sql) ??
    /^(?:COMMENT|SECURITY LABEL) ON ROLE "([^"]+)"/.exec(sql) ??
    /^(?:GRANT|REVOKE) (?!.* ON ).*\b(?:TO|FROM) "([^"]+)"/s.exec(sql) ??
    [];
  return name !== undefined && !roles.has(name);
}

/**
 * Privileges, default ones too (but not memberships), are planned here, owners are ignored, the table is dbmate's, and
 * roles stay on the server (docs/adr/0003).
 */
function isHandledElsewhere(sql: string): boolean {
  return (
    /^(GRANT|REVOKE) .* ON /s.test(sql) ||
    /^DROP ROLE /.test(sql) ||
    /^ALTER DEFAULT PRIVILEGES /.test(sql) ||
    /^ALTER .* OWNER TO \S+$/s.test(sql) ||
    sql.includes('"public"."schema_migrations"')
  );
}
