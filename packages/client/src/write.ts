import type { WriteOptions } from "./collection-types.ts";
import type { AnyRow, TableContext } from "./context.ts";
import { NotFoundError, refused, StaleError } from "./errors.ts";
import type { AnyKey } from "./key.ts";
import type { Limits } from "./limits.ts";
import { sendForOne } from "./one-row.ts";
import { encodeRow } from "./values.ts";

/**
 * Changes one row. Never retried.
 *
 * @returns The row as it is now.
 * @throws InvalidError when the patch is empty; NotFoundError when the caller reaches no such row;
 *   ConflictError when an id names several; StaleError when `ifMatch` is given and the row has
 *   changed.
 */
export async function updateRow(
  context: TableContext,
  key: AnyKey,
  patch: AnyRow,
  options: WriteOptions = {},
): Promise<AnyRow> {
  if (Object.values(patch).every((value) => value === undefined)) {
    throw refused("empty_patch", "The update is empty. Name a column.");
  }
  const body = encodeRow(patch, context.info);
  return write(context, key, options, { method: "PATCH", body, idempotent: false });
}

/**
 * Deletes one row.
 *
 * @throws NotFoundError, ConflictError, StaleError as `updateRow` does.
 */
export async function deleteRow(
  context: TableContext,
  key: AnyKey,
  options: WriteOptions = {},
): Promise<void> {
  try {
    await write(context, key, options, { method: "DELETE", idempotent: true });
  } catch (error) {
    // No row in a second attempt: the first one arrived, and its response was lost.
    if (!(error instanceof NotFoundError && error.code === "no_row" && error.uncertain)) {
      throw error;
    }
  }
}

/** Writes to one row; a failed If-Match becomes a StaleError with the current row. */
async function write(
  context: TableContext,
  key: AnyKey,
  { signal, ifMatch }: WriteOptions,
  request: { readonly method: string; readonly body?: AnyRow; readonly idempotent: boolean },
): Promise<AnyRow> {
  const limits = context.transport.startLimits(signal && { signal });
  const headers = {
    Prefer: "return=representation",
    ...(ifMatch === undefined ? {} : { "If-Match": `"${ifMatch}"` }),
  };
  try {
    return await sendForOne(context, key, { ...request, headers, limits });
  } catch (error) {
    if (!(error instanceof StaleError)) throw error;
    throw new StaleError(error.message, error, await readCurrent(context, key, limits));
  }
}

/** The row as it is now; undefined also when it cannot be read: the first error must not be lost. */
async function readCurrent(
  context: TableContext,
  key: AnyKey,
  limits: Limits,
): Promise<AnyRow | undefined> {
  try {
    return await sendForOne(context, key, { limits });
  } catch {
    return undefined;
  }
}
