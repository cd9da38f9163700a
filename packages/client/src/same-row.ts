import type { AnyRow, TableContext } from "./context.ts";
import { addWhere } from "./filter.ts";
import { addKeys } from "./key.ts";
import type { Limits } from "./limits.ts";
import { isTooLong } from "./query.ts";
import { readRows } from "./rows.ts";
import { kindOf } from "./values.ts";

/**
 * Whether a row has the values that were sent. PostgreSQL decides where they are spelled differently:
 * 2026-01-01T00:00:00Z is 2026-01-01T00:00:00+00:00 to it, and 1.0 is 1.
 */
export async function isSameRow(
  context: TableContext,
  row: AnyRow,
  sent: AnyRow,
  limits: Limits,
): Promise<boolean> {
  const differing = Object.keys(sent).filter(
    (column) =>
      sent[column] !== undefined && JSON.stringify(row[column]) !== JSON.stringify(sent[column]),
  );
  if (differing.length === 0) return true;
  if (differing.some((column) => kindOf(context.info, column).startsWith("opaque"))) return false;
  const query = new URLSearchParams();
  addKeys(query, context, [row]);
  const wanted = differing.map((column) => [column, { eq: sent[column] }]);
  addWhere(query, context, Object.fromEntries(wanted));
  return !isTooLong(query) && (await readRows(context, query, limits)).rows.length === 1;
}
