import { parseStatement } from "./sql.ts";

/**
 * A view's query as PostgreSQL 16 and later write it: where it reads one relation, its columns go without
 * the name of that one. Older servers write it, and a view of theirs would never be equal.
 *
 * @param query As pg_get_viewdef gives it.
 */
export function asNewerServersWrite(query: string): string {
  const tree = parseStatement(query);
  if (tree === undefined || !("SelectStmt" in tree)) return query;
  const { fromClause = [], withClause: _, ...parts } = tree.SelectStmt;
  const [from] = fromClause;
  if (from === undefined || fromClause.length > 1 || "JoinExpr" in from) return query;
  if (parts.op !== "SETOP_NONE") return query;
  const bytes = Buffer.from(query);
  let [text, end] = ["", 0];
  for (const place of listPrefixes(parts).sort((one, other) => one - other)) {
    const rest = bytes.subarray(place).toString();
    const [prefix = ""] = /^(?:"(?:[^"]|"")+"|[^".]+)\./.exec(rest) ?? [];
    text += bytes.subarray(end, place).toString();
    end = place + Buffer.byteLength(prefix);
  }
  return text + bytes.subarray(end).toString();
}

/** Where columns with a prefix begin, in bytes; those of queries within keep it. */
function listPrefixes(node: unknown): number[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === "subselect") return [];
    return key === "ColumnRef" && hasPrefix(value) ? [value.location] : listPrefixes(value);
  });
}

function hasPrefix(column: { readonly fields?: readonly object[] }): boolean {
  const [, name, ...more] = column.fields ?? [];
  return name !== undefined && more.length === 0 && "String" in name;
}
