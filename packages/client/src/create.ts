import type { AnyRow, TableContext } from "./context.ts";
import { ConflictError } from "./errors.ts";
import { addWhere } from "./filter.ts";
import type { Limits } from "./limits.ts";
import type { CallOptions } from "./options.ts";
import { ownerQuery } from "./query.ts";
import { sendRead } from "./read.ts";
import { containsValues, parseRows, sortByIds } from "./rows.ts";
import { uuidv7 } from "./uuid.ts";

/** The most ids in one request: URLs have a length limit. */
const maxIdsPerRequest = 100;

/**
 * Creates rows, all or none. Safe to retry: the ids are made here, and rows that an earlier attempt
 * has created are found by them.
 *
 * @returns The rows in the order given.
 * @throws ConflictError when a given id is taken.
 */
export async function createRows(
  context: TableContext,
  rows: readonly AnyRow[],
  options: CallOptions = {},
): Promise<AnyRow[]> {
  if (rows.length === 0) return [];
  const limits = context.transport.startLimits(options);
  const body = await addKeys(context, rows, limits);
  const ids = body.map((row) => String(row[context.id]));
  try {
    return sortByIds(await insert(context, body, limits), ids, context.id);
  } catch (error) {
    if (!(error instanceof ConflictError && error.uncertain)) throw error;
    const created = sortByIds(await readByIds(context, ids, limits), ids, context.id);
    if (!isCreated(context, created, rows)) throw error;
    return created;
  }
}

/** The rows with their ids and their owner, which no caller can choose. */
async function addKeys(
  { transport, owner, id }: TableContext,
  rows: readonly AnyRow[],
  limits: Limits,
): Promise<AnyRow[]> {
  const user = await transport.getSubject(limits);
  const owned = user === undefined ? {} : { [owner]: user };
  return rows.map((row) => ({ ...row, [id]: row[id] ?? uuidv7(), ...owned }));
}

/** @throws ConflictError also when an earlier attempt has created the same rows. */
async function insert(
  { transport, table }: TableContext,
  body: readonly AnyRow[],
  limits: Limits,
): Promise<AnyRow[]> {
  const columns = [...new Set(body.flatMap((row) => Object.keys(row)))].join(",");
  const result = await transport.send({
    method: "POST",
    path: `/${table}`,
    query: new URLSearchParams({ columns }),
    // A column that one row leaves out, and another has, takes its default.
    headers: { Prefer: "return=representation, missing=default" },
    body,
    idempotent: true,
    expectJson: true,
    limits,
  });
  return parseRows(result);
}

/** Reads rows by their ids, also when the server returns fewer at once than were asked for. */
async function readByIds(
  context: TableContext,
  ids: readonly string[],
  limits: Limits,
): Promise<AnyRow[]> {
  const found: AnyRow[] = [];
  let missing = ids;
  while (missing.length > 0) {
    const query = await ownerQuery(context, limits);
    addWhere(query, { [context.id]: { in: missing.slice(0, maxIdsPerRequest) } });
    const rows = parseRows(await sendRead(context, query, limits));
    if (rows.length === 0) break;
    found.push(...rows);
    const foundIds = new Set(rows.map((row) => row[context.id]));
    missing = missing.filter((id) => !foundIds.has(id));
  }
  return found;
}

/** Whether the rows found are all those asked for. Only a given id can be of an older row. */
function isCreated(
  { id }: TableContext,
  found: readonly AnyRow[],
  wanted: readonly AnyRow[],
): boolean {
  if (found.length < wanted.length) return false;
  return found.every((row, index) => {
    const values = wanted[index] ?? {};
    return values[id] === undefined || containsValues(row, values);
  });
}
