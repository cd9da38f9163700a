import type { DefElem, Node } from "libpg-query";
import type { Tree } from "./sql.ts";

/** Why a statement cannot be declared, and what to do instead. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

const intoMigration =
  'Take it out, and write it into a migration by hand (docs/policies.md, "Rows").';

/** Rows that are declared. */
export const rowsRefusal: Refusal = {
  reason: "rows are not declared: nothing would compare them",
  remedy: intoMigration,
};

const temporary: Refusal = {
  reason: "what is temporary ends with the session that made it",
  remedy: "Take it out.",
};

const concurrent: Refusal = {
  reason: "all files are built in one transaction, and `concurrently` cannot run in one",
  remedy:
    "Take the word out here. Where the table is in use, write `concurrently` into its migration, with `-- migrate:up transaction:false`.",
};

const otherDatabase: Refusal = {
  reason: "it names a database or the server, and this one can have any name",
  remedy:
    "Take it out; for grants and settings of the database write a `do` block with current_database(), as sql/database/ does.",
};

const secret: Refusal = {
  reason: "it holds a secret or a connection, which differ from server to server",
  remedy: "Take it out; set it on each server by hand.",
};

const byKind: Readonly<Record<string, Refusal>> = {
  InsertStmt: rowsRefusal,
  UpdateStmt: rowsRefusal,
  DeleteStmt: rowsRefusal,
  MergeStmt: rowsRefusal,
  TruncateStmt: rowsRefusal,
  CopyStmt: rowsRefusal,
  CreatedbStmt: otherDatabase,
  DropdbStmt: otherDatabase,
  AlterDatabaseStmt: otherDatabase,
  AlterDatabaseSetStmt: otherDatabase,
  AlterSystemStmt: otherDatabase,
  CreateTableSpaceStmt: otherDatabase,
  DropTableSpaceStmt: otherDatabase,
  AlterTableSpaceOptionsStmt: otherDatabase,
  CreateSubscriptionStmt: secret,
  AlterSubscriptionStmt: secret,
  DropSubscriptionStmt: secret,
  CreateUserMappingStmt: secret,
  AlterUserMappingStmt: secret,
};

const outside = new Set(["OBJECT_DATABASE", "OBJECT_TABLESPACE", "OBJECT_LARGEOBJECT"]);

/** Whether a statement runs something that may put rows into a table that it does not make. */
export function runsSomething(tree: Tree | undefined): boolean {
  return tree !== undefined && runners.some((kind) => kind in tree);
}

const runners = ["CallStmt", "CreateTableAsStmt", "DoStmt", "ExecuteStmt", "SelectStmt"];

/** A line that dbmate would take for the start of a part, in the migration that brings this file. */
export const markerRefusal: Refusal = {
  reason: "dbmate splits a migration at such a line, also in a string or a comment",
  remedy: "Write it in another way: indented by a space, for example.",
};

/** Where such a line is in a file. */
export function findMarker(sql: string): number | undefined {
  const at = sql.search(/^--\s*migrate:(?:up|down)\b/m);
  return at < 0 ? undefined : at;
}

/** Why a statement cannot stand in sql/ or policies/; undefined when it can. */
export function findRefusal(tree: Tree | undefined): Refusal | undefined {
  if (tree === undefined) return undefined;
  const [kind = ""] = Object.keys(tree);
  if (byKind[kind] !== undefined) return byKind[kind];
  if (namesOtherDatabase(tree)) return otherDatabase;
  if (holdsPassword(tree)) return secret;
  if ("IndexStmt" in tree && tree.IndexStmt.concurrent) return concurrent;
  return isTemporary(tree) ? temporary : undefined;
}

function namesOtherDatabase(tree: Tree): boolean {
  if ("AlterRoleSetStmt" in tree) return tree.AlterRoleSetStmt.database !== undefined;
  if ("GrantStmt" in tree) return outside.has(tree.GrantStmt.objtype ?? "");
  if ("CommentStmt" in tree) return outside.has(tree.CommentStmt.objtype ?? "");
  return "SecLabelStmt" in tree && outside.has(tree.SecLabelStmt.objtype ?? "");
}

function holdsPassword(tree: Tree): boolean {
  const options =
    ("CreateRoleStmt" in tree && tree.CreateRoleStmt.options) ||
    ("AlterRoleStmt" in tree && tree.AlterRoleStmt.options) ||
    [];
  return options.some((one: Node) => "DefElem" in one && isPassword(one.DefElem));
}

/** `password null` is none. */
function isPassword({ defname, arg }: DefElem): boolean {
  return defname === "password" && arg !== undefined;
}

/** Whether a statement makes what ends with the session. */
export function isTemporary(tree: Tree): boolean {
  const made =
    ("CreateStmt" in tree && tree.CreateStmt.relation) ||
    ("CreateSeqStmt" in tree && tree.CreateSeqStmt.sequence) ||
    ("ViewStmt" in tree && tree.ViewStmt.view) ||
    ("CreateTableAsStmt" in tree && tree.CreateTableAsStmt.into?.rel) ||
    ("SelectStmt" in tree && tree.SelectStmt.intoClause?.rel);
  return made ? made.relpersistence === "t" || made.schemaname === "pg_temp" : false;
}
