import { isTemporary } from "../catalog/refused.ts";
import { type Statement, splitStatements, type Tree } from "../catalog/sql.ts";
import { mayChangeRows } from "./row-changes.ts";

/**
 * The first statement of a migration for which its changes of rows cannot be run without the rest of
 * it: one that makes a table of rows, or one beside them that is more than a definition, such as a
 * setting, a temporary table or a trigger that is disabled.
 */
export function findInseparable(sql: string): Statement | undefined {
  const statements = splitStatements(sql);
  const isChange = ({ tree }: Statement) => tree !== undefined && mayChangeRows(tree);
  if (!statements.some(isChange)) return undefined;
  return statements.find((statement) =>
    isChange(statement) ? makesTable(statement.tree) : !isDefinition(statement.tree),
  );
}

/** The table is there already: it comes from sql/. */
function makesTable(tree: Tree | undefined): boolean {
  if (tree === undefined) return false;
  return "CreateTableAsStmt" in tree || ("SelectStmt" in tree && "intoClause" in tree.SelectStmt);
}

/** What the database has already when its catalog is the same, and what no row depends on. */
function isDefinition(tree: Tree | undefined): boolean {
  if (tree === undefined || isTemporary(tree)) return false;
  if ("VariableSetStmt" in tree) return limits.has(tree.VariableSetStmt.name ?? "");
  if ("DropStmt" in tree) return !/_(TRIGGER|RULE)$/.test(tree.DropStmt.removeType ?? "");
  if ("CreateTableAsStmt" in tree) return tree.CreateTableAsStmt.objtype === "OBJECT_MATVIEW";
  if ("AlterTableStmt" in tree) return !(tree.AlterTableStmt.cmds ?? []).some(switchesOff);
  const [kind = ""] = Object.keys(tree);
  return definitions.has(kind);
}

/** What planned migrations set, and what only limits how long a statement takes. */
const limits = new Set(["check_function_bodies", "lock_timeout", "statement_timeout"]);

function switchesOff(command: Tree): boolean {
  const subtype = "AlterTableCmd" in command ? command.AlterTableCmd.subtype : undefined;
  return /^AT_((Enable|Disable)\w*(Trig|Rule)|DisableRowSecurity|NoForceRowSecurity)/.test(
    subtype ?? "",
  );
}

const definitions = new Set([
  "AlterDefaultPrivilegesStmt",
  "AlterDomainStmt",
  "AlterEnumStmt",
  "AlterFunctionStmt",
  "AlterObjectSchemaStmt",
  "AlterOwnerStmt",
  "AlterPolicyStmt",
  "AlterRoleSetStmt",
  "AlterRoleStmt",
  "AlterSeqStmt",
  "AlterStatsStmt",
  "CommentStmt",
  "CompositeTypeStmt",
  "CreateDomainStmt",
  "CreateEnumStmt",
  "CreateExtensionStmt",
  "CreateFunctionStmt",
  "CreatePolicyStmt",
  "CreateRangeStmt",
  "CreateRoleStmt",
  "CreateSchemaStmt",
  "CreateSeqStmt",
  "CreateStatsStmt",
  "CreateStmt",
  "CreateTrigStmt",
  "DefineStmt",
  "DropRoleStmt",
  "GrantRoleStmt",
  "GrantStmt",
  "IndexStmt",
  "NotifyStmt",
  "RenameStmt",
  "RuleStmt",
  "ViewStmt",
]);
