import type { Call } from "./attempt.ts";
import type { AnyRow, TableContext } from "./context.ts";
import { NotFoundError } from "./errors.ts";
import { type AnyKey, addKey } from "./key.ts";
import { sendCall } from "./rows.ts";
import { type AnyWith, addSelect } from "./select.ts";

/**
 * Sends a request about one row. PostgREST answers with one object, and takes back what it did when
 * that met no row or several.
 *
 * @throws NotFoundError when the caller reaches no such row; ConflictError when an id names several.
 */
export async function sendForOne(
  context: TableContext,
  key: AnyKey,
  call: Pick<Call, "limits"> & Partial<Call>,
  embeds?: AnyWith,
): Promise<AnyRow> {
  const query = new URLSearchParams();
  addKey(query, context, key);
  addSelect(query, context, embeds);
  const headers = { ...call.headers, Accept: "application/vnd.pgrst.object+json" };
  try {
    const { json } = await sendCall(context, { ...call, query, headers });
    return json as AnyRow;
  } catch (error) {
    if (!(error instanceof NotFoundError && error.code === "PGRST116")) throw error;
    const name = typeof key === "object" ? JSON.stringify(key) : key;
    const message = `You have no row ${name} in ${context.table}. Check the id.`;
    throw new NotFoundError(message, { ...error, status: 404, code: "no_row" });
  }
}
