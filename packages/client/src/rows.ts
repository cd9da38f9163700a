import type { Call } from "./attempt.ts";
import type { AnyRow, TableContext } from "./context.ts";
import { UnavailableError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Result } from "./transport.ts";

/** What a request about a table says, beside where it goes. */
type TableCall = Pick<Call, "query" | "limits"> & Partial<Call>;

/** Sends a request about a table: unless it says otherwise, a read. */
export function sendCall(
  { transport, table }: Pick<TableContext, "transport" | "table">,
  call: TableCall,
): Promise<Result> {
  const path = `/${encodeURIComponent(table)}`;
  return transport.send({ method: "GET", idempotent: true, expectJson: true, path, ...call });
}

/** The rows of a response, and what came with them. */
export interface Rows extends Result {
  readonly rows: AnyRow[];
}

/** Reads rows. */
export async function readRows(
  context: Pick<TableContext, "transport" | "table">,
  query: URLSearchParams,
  limits: Limits,
): Promise<Rows> {
  const result = await sendCall(context, { query, limits });
  return { ...result, rows: result.json as AnyRow[] };
}

/**
 * The total behind the slash of Content-Range: "0-49/120" (RFC 9110, section 14.4).
 *
 * @throws UnavailableError when the header is missing or holds no total.
 */
export function parseCount({
  headers,
  status,
  requestId,
}: Pick<Result, "headers" | "status" | "requestId">): number {
  const total = headers.get("content-range")?.split("/")[1] ?? "";
  if (/^\d+$/.test(total)) return Number(total);
  throw new UnavailableError("The response has no count: a proxy removes Content-Range.", {
    status,
    code: "no_count",
    requestId,
  });
}
