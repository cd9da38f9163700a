import { errorMessage } from "../../lib/errors.ts";
import { tokenize } from "./sql.ts";

/**
 * Formats PostgreSQL's error about an SQL text, with the place: file, line, column, the line itself and
 * a caret below it.
 *
 * @param start Where the statement that failed starts. PostgreSQL gives no position for some
 *   errors, those in the conditions of policies among them: then what the message names is looked
 *   for from here on.
 */
export function formatFault(file: string, sql: string, error: unknown, start?: number): string {
  const offset =
    findPosition(sql, error) ?? (start === undefined ? undefined : guess(sql, error, start));
  if (offset === undefined) return `${file}: ${errorMessage(error)}`;
  const before = sql.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  const margin = `${line} | `;
  const text = (sql.split("\n")[line - 1] ?? "").trimEnd();
  // Tabs stay, so that the caret stands below its place however wide they are.
  const space = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  return [
    `${file}:${line}:${column}: ${errorMessage(error)}`,
    `  ${margin}${text}`,
    `  ${" ".repeat(margin.length)}${space}^`,
  ].join("\n");
}

/** PostgreSQL counts characters, from 1 (manual, "Error and Notice Message Fields"). */
function findPosition(sql: string, error: unknown): number | undefined {
  const position = Number(error instanceof Error && "position" in error ? error.position : 0);
  return position ? [...sql].slice(0, position - 1).join("").length : undefined;
}

/** Where the statement names what the message names; else where its code begins. */
function guess(sql: string, error: unknown, start: number): number {
  const message = errorMessage(error);
  const [, named] =
    /operator does not exist: \S+ (\S+)/.exec(message) ??
    /"([^"]+)"/.exec(message) ??
    /function ([\w.]+)\(/.exec(message) ??
    [];
  const found = named === undefined ? -1 : sql.indexOf(named, start);
  return found >= 0 ? found : start + leadLength(sql.slice(start));
}

/** How far the comments reach that stand above a statement. */
function leadLength(sql: string): number {
  let lead = 0;
  for (const { text, kind } of tokenize(sql)) {
    if (kind !== "comment" && text.trim() !== "") return lead;
    lead += text.length;
  }
  return 0;
}
