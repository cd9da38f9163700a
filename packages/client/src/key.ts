import { type AnyRow, orderedKey, type TableContext } from "./context.ts";
import { refused } from "./errors.ts";
import { quoteName, quoteValue } from "./names.ts";
import { formatValue, kindOf } from "./values.ts";

/** A row's id, or an object with all columns of its key. */
export type AnyKey = string | number | AnyRow;

type KeyContext = Pick<TableContext, "table" | "info">;

/**
 * Adds the condition that names one row. An id leaves the owner open: the row may be another user's,
 * who shares it.
 *
 * @throws InvalidError when the key does not name a row.
 */
export function addKey(query: URLSearchParams, context: KeyContext, key: AnyKey): void {
  const { table, info } = context;
  const append = (column: string, value: unknown) =>
    query.append(quoteName(column), `eq.${formatValue(value, kindOf(info, column), column)}`);
  if (hasKey(context, key)) {
    for (const column of info.key) append(column, key[column]);
    return;
  }
  const [id = "", second] = orderedKey(info);
  const isId = info.key.length === 1 || (info.key.length === 2 && second === info.owner);
  if (!isId || !["string", "number"].includes(typeof key)) {
    const wanted = `${isId ? "its id or " : ""}an object with ${info.key.join(" and ")}`;
    throw refused("key", `This names no row of ${table}: pass ${wanted}.`);
  }
  append(id, key);
}

/** The most rows that `addKeys` names in one request, with keys of two UUIDs. */
export const maxKeys = 50;

/** Adds the condition that names several rows by their whole keys. */
export function addKeys(
  query: URLSearchParams,
  { info }: KeyContext,
  rows: readonly AnyRow[],
): void {
  const alternatives = rows.map((row) => {
    const terms = info.key.map(
      (column) => `${quoteName(column)}.eq.${quoteValue(String(row[column]))}`,
    );
    return `and(${terms.join(",")})`;
  });
  query.append("or", `(${alternatives.join(",")})`);
}

/** A text that tells rows of one table apart. */
export function identify({ info }: KeyContext, row: AnyRow): string {
  return JSON.stringify(info.key.map((column) => String(row[column])));
}

/** Whether an object has all columns of the key. */
export function hasKey({ info }: KeyContext, row: unknown): row is AnyRow {
  return info.key.every((column) => (Object(row)[column] ?? null) !== null);
}
