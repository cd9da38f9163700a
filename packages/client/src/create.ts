import type { AnyRow, TableContext } from "./context.ts";
import { ConflictError } from "./errors.ts";
import { addKeys, hasKey, identify, maxKeys } from "./key.ts";
import type { Limits } from "./limits.ts";
import { quoteName } from "./names.ts";
import type { CallOptions } from "./options.ts";
import { readRows, sendCall } from "./rows.ts";
import { isSameRow } from "./same-row.ts";
import { addSelect } from "./select.ts";
import { uuidv7 } from "./uuid.ts";
import { encodeRow } from "./values.ts";

/** Creates one row, as `createRows` does. */
export async function createRow(
  context: TableContext,
  row: AnyRow,
  options?: CallOptions,
): Promise<AnyRow | undefined> {
  return (await createRows(context, [row], options))[0];
}

/**
 * Creates rows, all or none. Where each has its whole key, the request is sent again as needed, and
 * rows that an earlier attempt has created are found by it.
 *
 * @returns The rows in the order given.
 * @throws ConflictError when a given key is taken.
 */
export async function createRows(
  context: TableContext,
  rows: readonly AnyRow[],
  options: CallOptions = {},
): Promise<AnyRow[]> {
  if (rows.length === 0) return [];
  const limits = context.transport.startLimits(options);
  const body = await addNewKeys(context, rows, limits);
  const hasKeys = body.every((row) => hasKey(context, row));
  try {
    const created = await insert(context, body, hasKeys, limits);
    return sortByKeys(context, created, body);
  } catch (error) {
    if (!(error instanceof ConflictError && error.uncertain && hasKeys)) throw error;
    const found = sortByKeys(context, await readByKeys(context, body, limits), body);
    if (!(await isCreated(context, found, rows, body, limits))) throw error;
    return found;
  }
}

/** The rows with their ids and their owner, which no caller can choose. */
async function addNewKeys(
  { transport, info }: TableContext,
  rows: readonly AnyRow[],
  limits: Limits,
): Promise<AnyRow[]> {
  const { owner, newId } = info;
  const user = owner === null ? undefined : await transport.getSubject(limits);
  const owned = owner === null || user === undefined ? {} : { [owner]: user };
  return rows.map((row) => {
    const id = newId === null ? {} : { [newId]: row[newId] ?? uuidv7() };
    return { ...encodeRow(row, info), ...id, ...owned };
  });
}

/** @throws ConflictError also when an earlier attempt has created the same rows. */
async function insert(
  context: TableContext,
  body: readonly AnyRow[],
  idempotent: boolean,
  limits: Limits,
): Promise<AnyRow[]> {
  const columns = [...new Set(body.flatMap((row) => Object.keys(row)))];
  const query = new URLSearchParams({ columns: columns.map(quoteName).join(",") });
  addSelect(query, context);
  // A column that one row leaves out, and another has, takes its default. Asking for it costs
  // PostgreSQL a tenth of an insert, so it is asked for only where there is such a column.
  const isMissing = columns.some((column) => body.some((row) => row[column] === undefined));
  const { json } = await sendCall(context, {
    method: "POST",
    query,
    headers: { Prefer: `return=representation${isMissing ? ", missing=default" : ""}` },
    body,
    idempotent,
    limits,
  });
  return json as AnyRow[];
}

/** Reads rows by their keys, also when the server returns fewer at once than were asked for. */
async function readByKeys(
  context: TableContext,
  keys: readonly AnyRow[],
  limits: Limits,
): Promise<AnyRow[]> {
  const found: AnyRow[] = [];
  let missing = keys;
  while (missing.length > 0) {
    const query = new URLSearchParams();
    addKeys(query, context, missing.slice(0, maxKeys));
    addSelect(query, context);
    const { rows } = await readRows(context, query, limits);
    found.push(...rows);
    const names = new Set(rows.map((row) => identify(context, row)));
    const left = missing.filter((key) => !names.has(identify(context, key)));
    // Unchanged where none is there, and where PostgreSQL writes the keys in its own way.
    missing = left.length === missing.length ? missing.slice(maxKeys) : left;
  }
  return found;
}

/** Rows in the order of these keys; as they came, where PostgreSQL writes a key in its own way. */
function sortByKeys(
  context: TableContext,
  rows: readonly AnyRow[],
  keys: readonly AnyRow[],
): AnyRow[] {
  const byKey = new Map(rows.map((row) => [identify(context, row), row]));
  const sorted = keys.map((key) => byKey.get(identify(context, key)));
  return sorted.includes(undefined) ? [...rows] : (sorted as AnyRow[]);
}

/** Whether the rows found are all those asked for. Only a given key can be of an older row. */
async function isCreated(
  context: TableContext,
  found: readonly AnyRow[],
  given: readonly AnyRow[],
  sent: readonly AnyRow[],
  limits: Limits,
): Promise<boolean> {
  if (found.length !== sent.length) return false;
  const { newId } = context.info;
  for (const [at, row] of found.entries()) {
    const isNew = newId !== null && given[at]?.[newId] === undefined;
    if (!isNew && !(await isSameRow(context, row, sent[at] ?? {}, limits))) return false;
  }
  return true;
}
