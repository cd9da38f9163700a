import { colours } from "../../lib/colours.ts";
import { percent } from "../../lib/format.ts";
import type { Statement } from "./statements.ts";

/** The statements as a table, numbered from 1. */
export function describeStatements(statements: readonly Statement[]): string[] {
  if (statements.length === 0) return ["No statement is recorded for this database yet."];
  const lines = statements.map(({ calls, meanMs, totalMs, share, role, statement }, index) =>
    row(String(index + 1), String(calls), ms(meanMs), ms(totalMs), percent(share)).concat(
      `  ${role ?? "a dropped role"}: ${shorten(statement)}`,
    ),
  );
  return [colours.dim(`${row("", "calls", "mean", "total", "share")}  statement`), ...lines];
}

function row(...[number = "", ...cells]: string[]): string {
  return number.padStart(3) + cells.map((cell) => cell.padStart(12)).join("");
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

const width = 120;

function shorten(statement: string): string {
  const line = statement.replace(/\s+/g, " ").trim();
  return line.length > width ? `${line.slice(0, width - 4)} ...` : line;
}
