import type { CommentStmt, GrantStmt, Node, RangeVar } from "libpg-query";
import type { Tree } from "../catalog/sql.ts";
import { listNames } from "../catalog/subject.ts";
import { findRole, type PlannedStatement } from "../plan/statement.ts";

/** What the places of statements depend on beside themselves. */
export interface Relations {
  /** "table", "view", "sequence" ... by the name without quotes, "api.tasks". */
  readonly kinds: ReadonlyMap<string, string>;
  /** The tables whose columns own sequences, by the sequence. */
  readonly owners: ReadonlyMap<string, readonly [schema: string, table: string]>;
}

/** The file that a statement belongs into, as a path from the project's folder. */
export function findPlace({ sql, tree }: PlannedStatement, relations: Relations): string {
  const role = findRole(tree) ?? findMadeRole(sql);
  if (role !== undefined) return path("sql/roles", role);
  if (tree === undefined) return "sql/database/others.sql";
  const [kind = "", node] = Object.entries(tree)[0] ?? [];
  const fixed = fixedPlaces[kind];
  if (fixed !== undefined) return fixed;
  if ("AlterOwnerStmt" in tree && tree.AlterOwnerStmt.objectType === "OBJECT_SCHEMA")
    return path("sql/schemas", listNames(tree.AlterOwnerStmt.object)[0]);
  if ("CreateSchemaStmt" in tree) return path("sql/schemas", tree.CreateSchemaStmt.schemaname);
  const relation = findRelation(tree) ?? (get(node, "relation") as RangeVar | undefined);
  if (relation?.relname !== undefined) {
    return ofRelation([relation.schemaname ?? "public", relation.relname], tree, relations);
  }
  if ("CommentStmt" in tree) return ofComment(tree.CommentStmt, tree, relations);
  if ("GrantStmt" in tree) return ofGrant(tree.GrantStmt, tree, relations);
  const [schema, name] = findName(node);
  return schema === undefined || name === undefined
    ? "sql/database/others.sql"
    : path(`sql/${fileName(schema)}`, name);
}

/** What stands in a `do` block: see createIfMissing. */
function findMadeRole(sql: string): string | undefined {
  const [, quoted, plain] =
    /^do [\s\S]*\n {4}create role (?:"((?:[^"]|"")+)"|(\S+?))[ ;]/.exec(sql) ?? [];
  return quoted?.replaceAll('""', '"') ?? plain;
}

const fixedPlaces: Readonly<Record<string, string>> = {
  AlterDefaultPrivilegesStmt: "sql/database/default_privileges.sql",
  AlterEventTrigStmt: "sql/database/event_triggers.sql",
  AlterExtensionStmt: "sql/database/extensions.sql",
  AlterPublicationStmt: "sql/database/publications.sql",
  CreateCastStmt: "sql/database/casts.sql",
  CreateEventTrigStmt: "sql/database/event_triggers.sql",
  CreateExtensionStmt: "sql/database/extensions.sql",
  CreateFdwStmt: "sql/database/foreign_servers.sql",
  CreateForeignServerStmt: "sql/database/foreign_servers.sql",
  CreatePublicationStmt: "sql/database/publications.sql",
  DoStmt: "sql/database/privileges.sql",
};

/** The relation that a statement makes, changes or is about. */
function findRelation(tree: Tree): RangeVar | undefined {
  if ("CreatePolicyStmt" in tree) return tree.CreatePolicyStmt.table;
  if ("ViewStmt" in tree) return tree.ViewStmt.view;
  if ("CreateSeqStmt" in tree) return tree.CreateSeqStmt.sequence;
  if ("AlterSeqStmt" in tree) return tree.AlterSeqStmt.sequence;
  if ("CreateTableAsStmt" in tree) return tree.CreateTableAsStmt.into?.rel;
  if ("CreateForeignTableStmt" in tree) return tree.CreateForeignTableStmt.base?.relation;
  if ("CompositeTypeStmt" in tree) return tree.CompositeTypeStmt.typevar;
  if ("CreateStatsStmt" in tree) return toRangeVar(tree.CreateStatsStmt.relations?.[0]);
  if ("GrantStmt" in tree) return toRangeVar(tree.GrantStmt.objects?.[0]);
  return undefined;
}

function toRangeVar(node: Node | undefined): RangeVar | undefined {
  return node !== undefined && "RangeVar" in node ? node.RangeVar : undefined;
}

/** A table's rules of access are in policies/; all else is with the object. */
function ofRelation(names: readonly [string, string], tree: Tree, relations: Relations): string {
  const owner = relations.owners.get(names.join("."));
  const [schema, name] = owner ?? names;
  const kind = relations.kinds.get(`${schema}.${name}`);
  const isTable = kind === undefined || /table$/.test(kind);
  const folder = isTable && owner === undefined && isAccess(tree) ? "policies" : "sql";
  return path(`${folder}/${fileName(schema)}`, name);
}

function isAccess(tree: Tree): boolean {
  if ("AlterTableStmt" in tree) return isRowSecurity(tree);
  return ["CreatePolicyStmt", "GrantStmt", "CommentStmt"].some((kind) => kind in tree);
}

/** Whether a statement only turns row-level security on or off. */
export function isRowSecurity(tree: Tree): boolean {
  const cmds = ("AlterTableStmt" in tree && tree.AlterTableStmt.cmds) || [];
  return (
    cmds.length > 0 &&
    cmds.every(
      (cmd) => "AlterTableCmd" in cmd && cmd.AlterTableCmd.subtype?.endsWith("RowSecurity"),
    )
  );
}

/** Comments on parts of a table name it before the part. */
const parts = new Set([
  "OBJECT_COLUMN",
  "OBJECT_POLICY",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
]);
const relationKinds = new Set([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_FOREIGN_TABLE",
]);
const withoutSchema: Readonly<Record<string, string>> = {
  OBJECT_CAST: "sql/database/casts.sql",
  OBJECT_EVENT_TRIGGER: "sql/database/event_triggers.sql",
  OBJECT_EXTENSION: "sql/database/extensions.sql",
  OBJECT_FDW: "sql/database/foreign_servers.sql",
  OBJECT_FOREIGN_SERVER: "sql/database/foreign_servers.sql",
  OBJECT_PUBLICATION: "sql/database/publications.sql",
};

function ofComment({ objtype, object }: CommentStmt, tree: Tree, relations: Relations): string {
  const names = listNames(object);
  const kind: string = objtype ?? "";
  const fixed = withoutSchema[kind];
  if (fixed !== undefined) return fixed;
  if (objtype === "OBJECT_SCHEMA") return path("sql/schemas", names[0]);
  const [schema, name] = parts.has(kind) ? names.slice(-3, -1) : names;
  if (schema === undefined || name === undefined) return "sql/database/others.sql";
  if (parts.has(kind) || relationKinds.has(kind))
    return ofRelation([schema, name], tree, relations);
  return path(`sql/${fileName(schema)}`, name);
}

function ofGrant({ objtype, objects = [] }: GrantStmt, tree: Tree, relations: Relations): string {
  const names = listNames(objects[0]);
  if (objtype === "OBJECT_SCHEMA") return path("sql/schemas", names[0]);
  const [schema, name] = names;
  if (schema === undefined || name === undefined) return "sql/database/privileges.sql";
  const isRelation = relations.kinds.has(`${schema}.${name}`) && objtype !== "OBJECT_FUNCTION";
  return isRelation && objtype !== "OBJECT_TYPE"
    ? ofRelation([schema, name], tree, relations)
    : path(`sql/${fileName(schema)}`, name);
}

/** The name of what a statement makes or changes, where it is a list: of a function, a type ... */
function findName(node: unknown): string[] {
  for (const key of [
    "funcname",
    "typeName",
    "domainname",
    "defnames",
    "opclassname",
    "func",
    "object",
  ]) {
    const value = get(node, key);
    if (value === undefined) continue;
    const names = Array.isArray(value)
      ? value.flatMap(listNames)
      : listNames(key === "func" ? ({ ObjectWithArgs: value } as Node) : (value as Node));
    if (names.length > 0) return names.length > 1 ? names : ["public", ...names];
  }
  return [];
}

function get(node: unknown, key: string): unknown {
  return typeof node === "object" && node !== null
    ? (node as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function path(folder: string, name: string | undefined): string {
  return `${folder}/${fileName(name ?? "")}.sql`;
}

/** A name that every file system takes; two objects may share a file. */
function fileName(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N}_.-]+/gu, "_")
      .replace(/^\.+/, "_")
      .slice(0, 100) || "_"
  );
}
