import type { DoStmt } from "libpg-query";
import { findRefusal, rowsRefusal, runsSomething } from "../catalog/refused.ts";
import { type Statement, splitStatements, type Tree } from "../catalog/sql.ts";

/**
 * The statements of SQL that change rows, or may: by a function, in a `do` block, in a `with`. No
 * comparison of catalogs tells whether they ran.
 */
export function listRowChanges(sql: string): Statement[] {
  return splitStatements(sql).filter(({ tree }) => tree !== undefined && mayChangeRows(tree));
}

/** The first line of a statement without the comments above it. */
export function firstLine({ text, start, codeStart }: Statement): string {
  return text.slice(codeStart - start).split("\n", 1)[0] ?? "";
}

/** Whether a statement changes rows, or may. */
export function mayChangeRows(tree: Tree): boolean {
  if (findRefusal(tree) === rowsRefusal) return true;
  if (!runsSomething(tree) || isMaterializedView(tree)) return false;
  if ("DoStmt" in tree) return rowCommand.test(readBody(tree.DoStmt));
  return "SelectStmt" in tree ? holds(tree, isRowChange) : true;
}

/** Its rows are computed, and none of them is lost. */
function isMaterializedView(tree: Tree): boolean {
  return "CreateTableAsStmt" in tree && tree.CreateTableAsStmt.objtype === "OBJECT_MATVIEW";
}

function readBody({ args = [] }: DoStmt): string {
  for (const arg of args) {
    if (!("DefElem" in arg) || arg.DefElem.defname !== "as") continue;
    const { arg: body } = arg.DefElem;
    if (body !== undefined && "String" in body) return body.String.sval ?? "";
  }
  return "";
}

/** In the body of a block, which may also make SQL of strings. */
const rowCommand =
  /\b(insert\s+into|delete\s+from|merge\s+into|truncate|perform|call|copy)\b|\bupdate\s(?:(?!\bon\b)[^;])*?\sset\b/i;

const rowStatements = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "intoClause"];

/** `select set_config(...)` is what dumps begin with. */
function isRowChange(key: string, value: unknown): boolean {
  if (rowStatements.includes(key)) return true;
  return key === "FuncCall" && !/"sval":"set_config"/.test(JSON.stringify(value));
}

function holds(node: unknown, is: (key: string, value: unknown) => boolean): boolean {
  if (typeof node !== "object" || node === null) return false;
  return Object.entries(node).some(([key, value]) => is(key, value) || holds(value, is));
}
