import { declaredFiles, readDeclared } from "../catalog/declared.ts";
import { splitStatements, type Tree } from "../catalog/sql.ts";

/** Keeps PostgreSQL from looking up what the bodies of new functions name. */
export const leaveBodiesUnchecked = "set local check_function_bodies = off";

/**
 * Whether sql/ and policies/ are built without a look into the bodies of functions, as pg_dump writes
 * them: a body may then name what only the search path of a caller finds, or what is made later.
 */
export function areBodiesUnchecked(root: string): boolean {
  return declaredFiles(root).some((file) =>
    splitStatements(readDeclared(root, file)).some(({ tree }) => turnsCheckOff(tree)),
  );
}

function turnsCheckOff(tree: Tree | undefined): boolean {
  if (tree === undefined || !("VariableSetStmt" in tree)) return false;
  const { name, args: [value] = [] } = tree.VariableSetStmt;
  const word = value !== undefined && "A_Const" in value ? value.A_Const.sval?.sval : undefined;
  return name === "check_function_bodies" && ["off", "false", "no"].includes(word ?? "");
}
