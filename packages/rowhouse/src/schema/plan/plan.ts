import { plan } from "@supabase/pg-delta/plan";
import { listKind } from "../catalog/catalog.ts";
import { isListSetting } from "../catalog/list-settings.ts";
import { type Tree, tokenize } from "../catalog/sql.ts";
import { type DefaultPrivilege, defaultPrivilegeStatements } from "./default-privileges.ts";
import { formatStatement } from "./format.ts";
import { grantStatements } from "./grants.ts";
import { addOperators } from "./operators.ts";
import { ownerStatements } from "./owners.ts";
import { planOptions } from "./platform.ts";
import { preferSources } from "./prefer-source.ts";
import { withoutDropped } from "./recreated.ts";
import { createIfMissing, getRoles } from "./roles.ts";
import { isSecretSet, withoutSecretSettings } from "./secret-settings.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Sources } from "./sources.ts";
import { findRole, isOwnerChange, type PlannedStatement, readStatement } from "./statement.ts";
import { statisticsStatements } from "./statistics.ts";

interface PlanOptions {
  readonly compact?: boolean;
  readonly defaults?: readonly DefaultPrivilege[];
}

/**
 * The statements that lead from one database to another, in order, without semicolons. That they
 * arrive is for a proof to show: see prove.ts.
 *
 * pg-delta plans; four things are ours: privileges (it writes them a column at a time, and takes the
 * built-in default privileges for those of a schema), statistics targets, operators and casts (it does
 * not know them), and owners: most belongs to the role that runs the migration, whatever it is called.
 *
 * @param sources How people wrote what is to be made. It is used where there is something;
 *   without it, the statements are PostgreSQL's own.
 * @param options Whether columns and constraints stand in the statement that makes their table, and default
 *   privileges that may count before an object is made (those of `from` unless given).
 */
export function planChanges(
  from: Snapshot,
  to: Snapshot,
  sources?: Sources,
  { compact = true, defaults }: PlanOptions = {},
): string[] {
  const options = { ...planOptions(to.platform), compact };
  const virtual = new Set(
    listKind(to.catalog, "column").flatMap(({ facts: { table, column, generated } }) =>
      generated === "virtual" ? [`${table}.${column}`] : [],
    ),
  );
  const { actions } = plan(from.facts, to.facts, options);
  const roles = new Set([...getRoles(from.catalog), ...getRoles(to.catalog)]);
  const statements = actions
    .map(({ sql }) => readStatement(sql))
    .filter((one) => !isHandledElsewhere(one) && !isOfOtherRole(one, roles))
    .map((one) => formatStatement(withoutSecretSettings(one), to.keywords))
    .map(withOneNotNull)
    .map(withListSetting)
    .map((sql) => withVirtual(sql, virtual))
    .map(withPartitions)
    .map(createIfMissing);
  const owners = ownerStatements(from.catalog, to.catalog, statements);
  const catalogs = { before: from.catalog, after: to.catalog };
  const planned = sources ? preferSources(statements, sources, catalogs) : statements;
  return [
    ...addOperators(planned, from.operators, to.operators),
    ...owners.first,
    ...statisticsStatements(from.statistics, to.statistics),
    ...defaultPrivilegeStatements(from.privileges.defaults, to.privileges.defaults, (schema) =>
      to.privileges.objects.has(`schema ${schema}`),
    ),
    ...grantStatements(withoutDropped(from.privileges, statements), to.privileges, defaults),
    ...owners.last,
  ];
}

/** From PostgreSQL 18 on the rule is a constraint, too, and pg-delta says both. */
function withOneNotNull(sql: string): string {
  return sql.replace(
    /^(create domain [\s\S]*?\bnot null\b[\s\S]*?)\s+constraint ("(?:[^"]|"")+"|\S+)\s+not null\b/,
    "$1",
  );
}

/** What is a list of names stays one: in quotes it would be a single name. */
function withListSetting(sql: string): string {
  const [, head, name = "", value = ""] =
    /^(alter role (?:"(?:[^"]|"")+"|\S+) set (\w+) to )'((?:[^']|'')*)'$/.exec(sql) ?? [];
  return head !== undefined && isListSetting(name) ? head + value.replaceAll("''", "'") : sql;
}

/** From PostgreSQL 18 on a generated column can be computed when it is read; pg-delta stores it. */
function withVirtual(sql: string, virtual: ReadonlySet<string>): string {
  const [, table, column] =
    /^alter table ((?:"(?:[^"]|"")+"|[\w$]+)\.(?:"(?:[^"]|"")+"|[\w$]+))\s+add column ("(?:[^"]|"")+"|[\w$]+)\s/.exec(
      sql,
    ) ?? [];
  return virtual.has(`${table}.${column}`) ? sql.replace(/\bstored(?=[^']*$)/, "virtual") : sql;
}

/** An index of a partitioned table alone is of no use until those of its partitions are attached. */
function withPartitions(sql: string): string {
  return sql.replace(/^(create (?:unique )?index (?:"(?:[^"]|"")+"|\S+)) on only /, "$1 on ");
}

/** Roles belong to the server: those that are not of the API are none of our business. */
function isOfOtherRole({ tree }: PlannedStatement, roles: ReadonlySet<string>): boolean {
  const name = findRole(tree);
  return name !== undefined && !roles.has(name);
}

/**
 * Privileges, default ones too (but not memberships), are planned here, owners too, the table is dbmate's, and
 * roles stay on the server (docs/adr/0003).
 */
function isHandledElsewhere({ sql, tree }: PlannedStatement): boolean {
  const isOurs = ["GrantStmt", "DropRoleStmt", "AlterDefaultPrivilegesStmt"];
  return (
    (tree !== undefined && isOurs.some((kind) => kind in tree)) ||
    isOwnerChange(tree) ||
    setsSecret(tree) ||
    namesMigrationsTable(sql)
  );
}

/** What PostgREST reads from a role, and what looks like a secret: the catalog leaves both out, too. */
function setsSecret(tree: Tree | undefined): boolean {
  if (tree === undefined || !("AlterRoleSetStmt" in tree)) return false;
  const { setstmt = {} } = tree.AlterRoleSetStmt;
  return setstmt.name?.startsWith("pgrst.") || isSecretSet(setstmt);
}

/** In its code: a comment on something else may speak of it. */
function namesMigrationsTable(sql: string): boolean {
  const code = tokenize(sql).filter(({ kind }) => kind === "code" || kind === "name");
  return code
    .map(({ text }) => text)
    .join("")
    .includes('"public"."schema_migrations"');
}
