import { readFileSync } from "node:fs";
import { join } from "node:path";
import { migrationFiles, parseUp } from "../../stack/dbmate.ts";
import { declaredFiles, readDeclared } from "../catalog/declared.ts";
import { splitStatements, type Tree } from "../catalog/sql.ts";
import { isCreation, listSubjects } from "../catalog/subject.ts";

/** The statements that made what is there, by what they made: "policy select_own on api.tasks". */
export type Sources = ReadonlyMap<string, string>;

/** How people wrote what is declared, in sql/ and policies/. */
export function declaredSources(root: string): Sources {
  return collectSources(declaredFiles(root).map((file) => readDeclared(root, file)));
}

/** How people wrote what is migrated, in the migrations. */
export function migratedSources(dir: string): Sources {
  return collectSources(
    migrationFiles(dir).map((file) => parseUp(readFileSync(join(dir, file), "utf8"), file).sql),
  );
}

/**
 * What was altered, dropped or made again after it was made is no longer what its statement
 * does: it is left out, or replaced by the last one.
 */
function collectSources(texts: readonly string[]): Sources {
  const sources = new Map<string, string>();
  for (const { text: statement, tree } of texts.flatMap(splitStatements)) {
    if (tree === undefined || keepsStatement(tree)) continue;
    for (const subject of listSubjects(tree)) {
      const again = sources.has(subject) && !isReplacement(tree);
      if (isCreation(tree) && !again) sources.set(subject, statement);
      else sources.delete(subject);
    }
  }
  return sources;
}

function isReplacement(tree: Tree): boolean {
  if ("CreateFunctionStmt" in tree) return tree.CreateFunctionStmt.replace === true;
  if ("CreateTrigStmt" in tree) return tree.CreateTrigStmt.replace === true;
  return "ViewStmt" in tree && tree.ViewStmt.replace === true;
}

/** Row security, statistics and the owner do not change the `create table` statement. */
function keepsStatement(tree: Tree): boolean {
  if ("AlterOwnerStmt" in tree) return true;
  if (!("AlterTableStmt" in tree)) return false;
  const isBeside = (cmd: string | undefined) =>
    cmd !== undefined &&
    (cmd.endsWith("RowSecurity") || cmd === "AT_SetStatistics" || cmd === "AT_ChangeOwner");
  return (tree.AlterTableStmt.cmds ?? []).every(
    (cmd) => "AlterTableCmd" in cmd && isBeside(cmd.AlterTableCmd.subtype),
  );
}
