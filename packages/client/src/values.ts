import type { AnyRow } from "./context.ts";
import { refused } from "./errors.ts";
import { quote } from "./names.ts";
import type { ColumnKind, TableInfo } from "./types.ts";

/**
 * A value as PostgreSQL reads it in a condition.
 *
 * @throws InvalidError for a number that JavaScript has rounded already.
 */
export function formatValue(value: unknown, kind: ColumnKind, column: string): string {
  if (typeof value === "bigint") return String(value);
  if (kind === "json") return JSON.stringify(value);
  if (Array.isArray(value)) return formatArray(value, kind, column);
  if (value instanceof Date && Number.isFinite(+value)) return value.toISOString();
  if (value === null || value instanceof Date) {
    throw refused("condition", `${column} cannot be compared with ${value}.`, column);
  }
  assertExact(value, kind, column);
  return String(value);
}

/** An array literal (PostgreSQL's manual, section 8.15.2). */
function formatArray(values: readonly unknown[], kind: ColumnKind, column: string): string {
  const items = values.map((value) => {
    if (value === null) return "NULL";
    const text = formatValue(value, kind.replace("[]", "") as ColumnKind, column);
    return Array.isArray(value) ? text : quote(text);
  });
  return `{${items.join(",")}}`;
}

/** The kind of a column; of one that the types do not know yet, that of a text. */
export function kindOf({ columns }: Pick<TableInfo, "columns">, column: string): ColumnKind {
  return (Object.hasOwn(columns, column) ? columns[column] : undefined) ?? "text";
}

/**
 * A row as it is sent: what JSON has no word for becomes the string that PostgreSQL reads.
 *
 * @throws InvalidError for a number that JavaScript has rounded already.
 */
export function encodeRow(row: AnyRow, info: TableInfo): AnyRow {
  const encoded = Object.entries(row).map(([column, value]) => {
    const kind = kindOf(info, column);
    return [column, kind === "json" ? value : encode(value, kind, column)];
  });
  return Object.fromEntries(encoded);
}

function encode(value: unknown, kind: ColumnKind, column: string): unknown {
  if (Array.isArray(value)) return value.map((item) => encode(item, kind, column));
  if (value instanceof Date) return formatValue(value, kind, column);
  assertExact(value, kind, column);
  // JSON has no bigint, and would make null of NaN and Infinity.
  const isUnknown = typeof value === "number" ? !Number.isFinite(value) : typeof value === "bigint";
  return isUnknown ? String(value) : value;
}

/** A literal of sixteen digits or more may have been another number before JavaScript read it. */
function assertExact(value: unknown, kind: ColumnKind, column: string): void {
  if (!kind.startsWith("exact") || typeof value !== "number") return;
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return;
  const message = `JavaScript may have rounded ${value}, for ${column}. Pass it as a string.`;
  throw refused("unsafe_number", message, column);
}
