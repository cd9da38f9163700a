import type { WriteOptions } from "./collection-types.ts";
import type { AnyRow, TableContext } from "./context.ts";
import { InvalidError, StaleError, unsent } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { rowQuery } from "./query.ts";
import { sendRead } from "./read.ts";
import { parseRows, throwNotFound } from "./rows.ts";
import type { Result } from "./transport.ts";

/**
 * Changes one row. Never retried.
 *
 * @returns The row as it is now.
 * @throws InvalidError when the patch is empty; NotFoundError when the caller has no such row;
 *   StaleError when `ifMatch` is given and the row has changed.
 */
export async function updateRow(
  context: TableContext,
  id: string,
  patch: AnyRow,
  options: WriteOptions = {},
): Promise<AnyRow> {
  if (Object.values(patch).every((value) => value === undefined)) {
    const message = "The update is empty. Name at least one column.";
    throw new InvalidError(message, unsent("empty_patch"));
  }
  const result = await sendWrite(context, id, options, { method: "PATCH", body: patch });
  return parseRows(result)[0] ?? throwNotFound(context.table, id, result);
}

/**
 * Deletes one row.
 *
 * @throws NotFoundError, StaleError as `updateRow` does.
 */
export async function deleteRow(
  context: TableContext,
  id: string,
  options: WriteOptions = {},
): Promise<void> {
  const result = await sendWrite(context, id, options, { method: "DELETE" });
  // No row in a second attempt: the first one arrived, and its response was lost.
  if (parseRows(result).length === 0 && !result.uncertain) throwNotFound(context.table, id, result);
}

/** Writes to one row; a failed If-Match becomes a StaleError with the current row. */
async function sendWrite(
  context: TableContext,
  id: string,
  { signal, ifMatch }: WriteOptions,
  write: { readonly method: "PATCH" | "DELETE"; readonly body?: AnyRow },
): Promise<Result> {
  const limits = context.transport.startLimits(signal && { signal });
  const query = await rowQuery(context, id, limits);
  const match = ifMatch === undefined ? {} : { "If-Match": `"${ifMatch}"` };
  try {
    return await context.transport.send({
      ...write,
      path: `/${context.table}`,
      query,
      headers: { Prefer: "return=representation", ...match },
      idempotent: write.method === "DELETE",
      expectJson: true,
      limits,
    });
  } catch (error) {
    if (!(error instanceof StaleError)) throw error;
    throw new StaleError(error.message, error, await readCurrent(context, query, limits));
  }
}

/** The row as it is now; undefined also when it cannot be read: the first error must not be lost. */
async function readCurrent(
  context: TableContext,
  query: URLSearchParams,
  limits: Limits,
): Promise<AnyRow | undefined> {
  try {
    return parseRows(await sendRead(context, query, limits))[0];
  } catch {
    return undefined;
  }
}
