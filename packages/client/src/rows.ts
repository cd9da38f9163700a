import type { AnyRow } from "./context.ts";
import { NotFoundError, UnavailableError } from "./errors.ts";
import type { Result } from "./transport.ts";

/** The rows of a response. */
export function parseRows({ json }: Pick<Result, "json">): AnyRow[] {
  return json as AnyRow[];
}

/** Rows in the order of these ids, without those that have none of them. */
export function sortByIds(
  rows: readonly AnyRow[],
  ids: readonly string[],
  idColumn: string,
): AnyRow[] {
  const byId = new Map(rows.map((row) => [row[idColumn], row]));
  return ids.map((id) => byId.get(id)).filter((row) => row !== undefined);
}

/** Whether a row has all of these values. */
export function containsValues(row: AnyRow, values: AnyRow): boolean {
  return Object.entries(values).every(
    ([column, value]) =>
      value === undefined || JSON.stringify(row[column]) === JSON.stringify(value),
  );
}

/**
 * The total behind the slash of Content-Range: "0-49/120" (RFC 9110, section 14.4).
 *
 * @throws UnavailableError when the header is missing or holds no total.
 */
export function parseCount({ headers, status, requestId }: Omit<Result, "json" | "text">): number {
  const total = headers.get("content-range")?.split("/")[1] ?? "";
  if (/^\d+$/.test(total)) return Number(total);
  throw new UnavailableError(
    "The response has no count. Check the proxy: it removes Content-Range.",
    { status, code: "no_count", requestId },
  );
}

/** @throws NotFoundError about a row that a response does not hold. */
export function throwNotFound(
  table: string,
  id: string,
  { requestId }: Pick<Result, "requestId">,
): never {
  throw new NotFoundError(`You have no row ${id} in ${table}. Check the id.`, {
    status: 404,
    code: "no_row",
    requestId,
  });
}
