import type { Node, ObjectWithArgs, RangeVar, RenameStmt } from "libpg-query";
import { parseStatement, quoteName, type Tree } from "./sql.ts";

/** What a statement makes, changes or drops first, as "policy select_own on api.tasks". */
export function findSubject(sql: string): string | undefined {
  return listSubjects(parseStatement(sql))[0];
}

/** Whether a statement makes something. */
export function isCreation(tree: Tree | undefined): boolean {
  return tree !== undefined && creations.has(Object.keys(tree)[0] ?? "");
}

const creations = new Set([
  "CreateFunctionStmt",
  "CreatePolicyStmt",
  "CreateStmt",
  "CreateTrigStmt",
  "IndexStmt",
  "ViewStmt",
]);

/** All that a statement makes, changes or drops. Only kinds that people write with a body are known. */
export function listSubjects(tree: Tree | undefined): string[] {
  if (tree === undefined) return [];
  return [...listMade(tree), ...listChanged(tree), ...listDropped(tree)];
}

function listMade(tree: Tree): string[] {
  if ("CreateFunctionStmt" in tree) return [`function ${path(tree.CreateFunctionStmt.funcname)}`];
  if ("CreatePolicyStmt" in tree) {
    const { policy_name, table } = tree.CreatePolicyStmt;
    return [ofTable("policy", policy_name, table)];
  }
  if ("CreateStmt" in tree) return [`table ${relation(tree.CreateStmt.relation)}`];
  if ("CreateTrigStmt" in tree) {
    return [ofTable("trigger", tree.CreateTrigStmt.trigname, tree.CreateTrigStmt.relation)];
  }
  if ("IndexStmt" in tree) {
    const { idxname, relation: table } = tree.IndexStmt;
    return idxname ? [`index ${relation({ ...table, relname: idxname })}`] : [];
  }
  return "ViewStmt" in tree ? [`view ${relation(tree.ViewStmt.view)}`] : [];
}

function listChanged(tree: Tree): string[] {
  if ("AlterPolicyStmt" in tree) {
    return [ofTable("policy", tree.AlterPolicyStmt.policy_name, tree.AlterPolicyStmt.table)];
  }
  if ("AlterFunctionStmt" in tree) return [`function ${ofFunction(tree.AlterFunctionStmt.func)}`];
  if ("AlterTableStmt" in tree) {
    const { objtype, relation: table } = tree.AlterTableStmt;
    return kindOf(objtype, (kind) => `${kind} ${relation(table)}`);
  }
  return "RenameStmt" in tree ? listRenamed(tree.RenameStmt) : listMoved(tree);
}

function listRenamed({ renameType, relationType, relation: table, subname, object }: RenameStmt) {
  if (renameType === "OBJECT_POLICY") return [ofTable("policy", subname, table)];
  if (renameType === "OBJECT_TRIGGER") return [ofTable("trigger", subname, table)];
  if (renameType === "OBJECT_TABCONSTRAINT") return [`table ${relation(table)}`];
  const type = renameType === "OBJECT_COLUMN" ? relationType : renameType;
  return kindOf(type, (kind) => `${kind} ${kind === "function" ? named(object) : relation(table)}`);
}

/** What gets another schema or owner. */
function listMoved(tree: Tree): string[] {
  const moved =
    ("AlterObjectSchemaStmt" in tree && tree.AlterObjectSchemaStmt) ||
    ("AlterOwnerStmt" in tree && tree.AlterOwnerStmt);
  if (!moved) return [];
  const { objectType, object, relation: table } = moved;
  return kindOf(
    objectType,
    (kind) => `${kind} ${kind === "function" ? named(object) : relation(table)}`,
  );
}

function listDropped(tree: Tree): string[] {
  if (!("DropStmt" in tree)) return [];
  const { removeType, objects = [] } = tree.DropStmt;
  return objects.flatMap((object) => {
    const names = listNames(object);
    if (removeType === "OBJECT_POLICY" || removeType === "OBJECT_TRIGGER") {
      const kind = removeType === "OBJECT_POLICY" ? "policy" : "trigger";
      return [`${kind} ${quoteName(names.at(-1) ?? "")} on ${quotePath(names.slice(0, -1))}`];
    }
    return kindOf(removeType, (kind) => `${kind} ${named(object)}`);
  });
}

const kinds: Readonly<Record<string, string>> = {
  OBJECT_FUNCTION: "function",
  OBJECT_PROCEDURE: "function",
  OBJECT_ROUTINE: "function",
  OBJECT_TABLE: "table",
  OBJECT_INDEX: "index",
  OBJECT_VIEW: "view",
};

function kindOf(type: string | undefined, describe: (kind: string) => string): string[] {
  const kind = kinds[type ?? ""];
  return kind === undefined ? [] : [describe(kind)];
}

function ofTable(kind: string, name: string | undefined, table: RangeVar | undefined): string {
  return `${kind} ${quoteName(name ?? "")} on ${relation(table)}`;
}

function relation({ schemaname, relname }: RangeVar = {}): string {
  return quotePath([schemaname, relname].filter((part) => part !== undefined));
}

function ofFunction(object: ObjectWithArgs | undefined): string {
  return path(object?.objname);
}

function named(object: Node | undefined): string {
  return quotePath(listNames(object));
}

function path(parts: readonly Node[] = []): string {
  return quotePath(parts.flatMap(listNames));
}

/** The parts of a name in a statement. */
export function listNames(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ("String" in node) return [node.String.sval ?? ""];
  if ("List" in node) return (node.List.items ?? []).flatMap(listNames);
  if ("TypeName" in node) return (node.TypeName.names ?? []).flatMap(listNames);
  if ("ObjectWithArgs" in node) return (node.ObjectWithArgs.objname ?? []).flatMap(listNames);
  return [];
}

/** A name of several parts as PostgreSQL writes it. */
export function quotePath(names: readonly string[]): string {
  return names.map(quoteName).join(".");
}
