import { exactColumn, exactValue } from "./metadata.ts";
import type { TableInfo } from "./table-info.ts";

/** Where a section of a table or function begins, and where a group of them does. */
const section = /^(?: {4}| {8})([A-Z]\w*): /;

const label = new RegExp(`"(${exactColumn}|${exactValue})"`, "g");

/**
 * Writes the types of exact numbers in the place of their labels. The client returns those of a row
 * as strings, and takes numbers too; what a function returns comes as PostgREST sends it: as a
 * number where JavaScript can hold it. The generator knows one type for a column, so this cannot be
 * told to it.
 *
 * @param types As the generator formats them: the columns of a row lie in a section "Row".
 */
export function writeExactNumbers(types: string): string {
  let isRow = false;
  return types
    .split("\n")
    .map((line) => {
      const [, name] = section.exec(line) ?? [];
      if (name !== undefined) isRow = name === "Row";
      return line.replace(label, (_, kind, at: number, whole: string) => {
        if (isRow && kind === exactColumn) return "string";
        const isArray = whole.startsWith("[]", at + kind.length + 2);
        return isArray ? "(string | number)" : "string | number";
      });
    })
    .join("\n");
}

/** The properties of `tables`, as lines of TypeScript. */
export function formatTables(tables: ReadonlyMap<string, TableInfo>): string[] {
  return [...tables].flatMap(([name, info]) => [
    `  ${formatName(name)}: {`,
    ...Object.entries(info).map(([field, value]) => `    ${field}: ${formatValue(value)},`),
    "  },",
  ]);
}

function formatValue(value: TableInfo[keyof TableInfo]): string {
  if (value === null || typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one) => JSON.stringify(one)).join(", ")}]`;
  const properties = Object.entries(value).map(
    ([name, one]) => `      ${formatName(name)}: ${JSON.stringify(one)},`,
  );
  return properties.length > 0 ? ["{", ...properties, "    }"].join("\n") : "{}";
}

/** `__proto__` is a property like others only in brackets. */
function formatName(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
}
