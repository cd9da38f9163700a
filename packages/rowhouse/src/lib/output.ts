import { colours } from "./colours.ts";
import { errorMessage, type RowhouseError } from "./errors.ts";
import { stringifyJson } from "./json.ts";
import { visible } from "./visible.ts";

/** Prints a line of result: to stdout. */
export function print(line: string): void {
  process.stdout.write(`${visible(line)}\n`);
}

/** Prints a text that programs read byte by byte, such as SQL: only a terminal is protected. */
export function printExactly(text: string): void {
  if (process.stdout.isTTY) print(text);
  else process.stdout.write(`${text}\n`);
}

/** Prints a result: for programs as JSON, which may hold numbers of parseJson, for people in the lines that describe it. */
export function printResult<T>(
  result: T,
  json: boolean | undefined,
  describe: (result: T) => readonly string[],
): void {
  for (const line of json ? [stringifyJson(result, { space: 2 })] : describe(result)) print(line);
}

/** Prints a line about what happens: to stderr, so that results can be piped. */
export function note(line: string): void {
  process.stderr.write(`${visible(line)}\n`);
}

/** Prints what is being done when it is not done within two seconds. */
export async function noteIfSlow<T>(line: string, work: Promise<T>): Promise<T> {
  const slow = setTimeout(() => note(line), 2000);
  return work.finally(() => clearTimeout(slow));
}

/** Prints a failure that a person can fix. */
export function printFailure(error: RowhouseError): void {
  note(`${colours.red("error")} ${colours.dim(`[${error.code}]`)} ${error.message}`);
  note(error.remedy);
}

/** Prints a failure that should not happen: our fault. */
export function printBug(error: unknown): void {
  note(`${colours.red("error")} ${colours.dim("[bug]")} ${errorMessage(error)}`);
  note("This is a bug in Rowhouse. Please report it; ROWHOUSE_DEBUG=1 prints the stack trace.");
  if (process.env.ROWHOUSE_DEBUG && error instanceof Error) note(error.stack ?? "");
}
