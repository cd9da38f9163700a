import { NotFoundError, UnavailableError } from "./errors.ts";
import type { Reply } from "./transport.ts";

/** The rows of an answer. */
interface Rows<R> {
  readonly items: R[];
  readonly reply: Reply;
}

/** The server's word for its rows' types is taken: they are generated from the same database. */
export function rowsOf<R>(reply: Reply): Rows<R> {
  return { items: reply.json as R[], reply };
}

/** Rows in the order of their ids; what is not among them is left out. */
export function inOrder<R extends { id: string }>(rows: R[], ids: readonly string[]): R[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Whether a row has what was asked for: else the id was taken by another one before. */
export function holds(row: object, wanted: object | undefined): boolean {
  return Object.entries(wanted ?? {}).every(
    ([column, value]) =>
      value === undefined || JSON.stringify(Reflect.get(row, column)) === JSON.stringify(value),
  );
}

/** The total behind the slash of Content-Range: "0-49/120" (RFC 9110, section 14.4). */
export function countOf({ headers, status, requestId }: Reply): number {
  const total = headers.get("content-range")?.split("/")[1] ?? "";
  if (/^\d+$/.test(total)) return Number(total);
  throw new UnavailableError("The answer has no count: something in between took it out.", {
    status,
    code: "no_count",
    requestId,
  });
}

/** @throws NotFoundError about a row that an answer does not hold. */
export function throwNotFound(table: string, id: string, { requestId }: Reply): never {
  throw new NotFoundError(`There is no row ${id} in ${table} that is yours. Check the id.`, {
    status: 404,
    code: "no_row",
    requestId,
  });
}
