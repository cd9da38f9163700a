import type { AlterTableStmt, DropStmt } from "libpg-query";
import { quoteName, splitStatements, tokenize } from "../catalog/sql.ts";
import { listNames, quotePath } from "../catalog/subject.ts";

/** What statements drop, as "table api.tasks", "column api.tasks.title" or "function api.f(text)". */
export function listDropped(statements: readonly string[]): string[] {
  return statements.flatMap(splitStatements).flatMap(({ text, tree }) => {
    if (tree === undefined) return [];
    if ("DropStmt" in tree) return listDroppedObjects(tree.DropStmt, text);
    if ("AlterTableStmt" in tree) return listColumns(tree.AlterTableStmt, "AT_DropColumn");
    if (!("RenameStmt" in tree)) return [];
    const { renameType, object, newname = "" } = tree.RenameStmt;
    // How pg-delta takes a label out of an enum: there is a new type of that name then.
    return renameType === "OBJECT_TYPE" && newname.endsWith("__pgdelta_replaced")
      ? [`type ${quotePath(listNames(object))}`]
      : [];
  });
}

/** The columns that get another type, as "column api.tasks.title". */
export function listRetyped(statements: readonly string[]): string[] {
  return statements
    .flatMap(splitStatements)
    .flatMap(({ tree }) =>
      tree !== undefined && "AlterTableStmt" in tree
        ? listColumns(tree.AlterTableStmt, "AT_AlterColumnType")
        : [],
    );
}

const kinds: Readonly<Record<string, string>> = {
  OBJECT_TABLE: "table",
  OBJECT_FOREIGN_TABLE: "table",
  OBJECT_VIEW: "table",
  OBJECT_MATVIEW: "table",
  OBJECT_SEQUENCE: "sequence",
  OBJECT_TYPE: "type",
  OBJECT_DOMAIN: "type",
  OBJECT_FUNCTION: "function",
  OBJECT_PROCEDURE: "function",
  OBJECT_AGGREGATE: "function",
  OBJECT_ROUTINE: "function",
};

function listDroppedObjects({ removeType, objects = [] }: DropStmt, sql: string): string[] {
  const kind = kinds[removeType ?? ""];
  if (kind === undefined) return [];
  return objects.map((object) => {
    const path = quotePath(listNames(object));
    return `${kind} ${path}${kind === "function" ? getArguments(sql) : ""}`;
  });
}

/** The arguments of the only function that a statement names, as PostgreSQL lists them: "(text,uuid)". */
function getArguments(sql: string): string {
  const code = tokenize(sql).filter(({ kind }) => kind === "code" || kind === "name");
  const texts = code.map(({ text }) => text);
  const [start, end] = [texts.indexOf("("), texts.lastIndexOf(")")];
  return texts
    .slice(start, end + 1)
    .join("")
    .replace(/\s*,\s*/g, ",");
}

function listColumns({ relation, cmds = [] }: AlterTableStmt, subtype: string): string[] {
  const table = [relation?.schemaname, relation?.relname].filter((part) => part !== undefined);
  return cmds.flatMap((cmd) =>
    "AlterTableCmd" in cmd && cmd.AlterTableCmd.subtype === subtype
      ? [`column ${quotePath(table)}.${quoteName(cmd.AlterTableCmd.name ?? "")}`]
      : [],
  );
}
