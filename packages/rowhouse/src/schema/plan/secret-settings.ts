import type { VariableSetStmt } from "libpg-query";
import { isSecretSetting } from "../catalog/secret.ts";
import type { PlannedStatement } from "./statement.ts";

/** Whether a `set` looks like it sets a secret. */
export function isSecretSet({ name = "", args = [] }: VariableSetStmt): boolean {
  const values = args.map((arg) => ("A_Const" in arg && arg.A_Const.sval?.sval) || "");
  return isSecretSetting(name, values);
}

/** A statement without the settings of a function that look like a secret: the catalog leaves them out, too. */
export function withoutSecretSettings({ sql, tree }: PlannedStatement): string {
  if (tree === undefined || !("CreateFunctionStmt" in tree)) return sql;
  const options = (tree.CreateFunctionStmt.options ?? []).flatMap((one) =>
    "DefElem" in one ? [one.DefElem] : [],
  );
  const bytes = Buffer.from(sql);
  const starts = [...options.map(({ location = 0 }) => location), bytes.length];
  const kept = options.map(({ arg }, index) =>
    arg !== undefined && "VariableSetStmt" in arg && isSecretSet(arg.VariableSetStmt)
      ? ""
      : bytes.toString("utf8", starts[index], starts[index + 1]),
  );
  return [bytes.toString("utf8", 0, starts[0]), ...kept].join("");
}
