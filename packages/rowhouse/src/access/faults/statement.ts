import type { Relation, Verb } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";

/**
 * The plainest statement for a verb on a table, to be explained.
 *
 * @param granted The columns that may be used.
 * @returns Undefined when there is none: no column can be written.
 */
export function writeStatement(
  relation: Relation,
  verb: Verb,
  granted: readonly string[],
): string | undefined {
  const table = sqlName(relation);
  const written = relation.columns
    .filter((column) => granted.includes(column.name) && !column.generated && !column.identity)
    .map((column) => quoteName(column.name));
  const value = (column: string) => `(null::${table}).${column}`;
  switch (verb) {
    case "select":
      return `select 1 from ${table}`;
    case "delete":
      return `delete from ${table}`;
    case "insert":
      return written.length === 0
        ? undefined
        : `insert into ${table} (${written.join(", ")}) select ${written.map(value).join(", ")}`;
    case "update":
      return written[0] && `update ${table} set ${written[0]} = ${value(written[0])}`;
  }
}
