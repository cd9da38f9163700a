import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Options {
  /** How many tasks the database has, for each database that is measured. */
  readonly rows: readonly number[];
  readonly repetitions: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly help: boolean;
}

/** A command line that cannot be read: what is wrong, and what to do. */
export class OptionsError extends Error {
  readonly code = "options_invalid";
  readonly remedy = "`npm run pages --workspace bench -- --help` lists the options.";
}

/** What `--help` prints. */
export const help = `Usage: npm run pages --workspace bench -- [options]

Measures what a page of a list costs, over HTTP, through PostgREST: with and without the count of
all rows. It makes a database for each number of rows, and removes it afterwards.

Options:
  --rows <n>         tasks in the database, at least 1000; may be repeated (default: 10000)
  --repetitions <n>  how often each request is sent, fewer where that takes over 20 s (default: 30)
  --json             for programs, with npm run --silent
  --keep             keep the databases, and print where they are
  --help             display help for command

One user has 500 tasks, another a tenth of all where that is more; the rest belong to others.`;

/**
 * Reads the command line.
 *
 * @throws OptionsError
 */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  return {
    rows: (values.rows ?? ["10000"]).map((text) => parseNumber("--rows", text, 1000)),
    repetitions: parseNumber("--repetitions", values.repetitions ?? "30", 1),
    json: values.json ?? false,
    keep: values.keep ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: { type: "string", multiple: true },
        repetitions: { type: "string" },
        json: { type: "boolean" },
        keep: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function parseNumber(option: string, text: string, least: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new OptionsError(`${option} is "${text}": give a whole number from ${least}.`);
}
