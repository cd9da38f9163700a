import { parseArgs } from "node:util";
import { operations } from "./actions.ts";
import { contestants } from "./names.ts";

/** What the command line asks for. */
export interface Options {
  readonly operations: readonly string[];
  readonly contestants: readonly string[];
  /** Tasks in the database; the peers are compared on the first. */
  readonly rows: readonly number[];
  readonly rounds: number;
  /** How long each is measured in a round. */
  readonly seconds: number;
  readonly connections: number;
  /** Whether peers are installed that are not yet. */
  readonly install: boolean;
  /** Whether the commands and the size of an installation are measured, too. */
  readonly commands: boolean;
  readonly output: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** A command line that cannot be read: what is wrong, and what to do. */
export class OptionsError extends Error {
  readonly code = "options_invalid";
  readonly remedy = "`npm run bench -- --help` lists the options.";
}

/** What `--help` prints. */
export const help = `Usage: npm run bench -- [options]

Compares this project, as \`npm start\` serves it, with what people write instead: on one database, in
rounds in which all take turns. It prints a table, and writes results/latest.json and plots.

Options:
  --quick           3 short rounds, on 10,000 tasks alone, and no commands
  --only <name>     an operation or a peer; may be repeated
  --rows <n>        tasks in the database, at least 10000; may be repeated, and the peers are compared
                    on the first (default: 10000 and 10000000)
  --rounds <n>      (default: 7)
  --seconds <n>     how long each is measured in a round (default: 1)
  --connections <n> (default: 16)
  --no-install      leave out the peers that are not installed
  --output <dir>    where to write (default: packages/bench/results and docs)
  --json            print the results as JSON, with npm run --silent
  --help            display help for command

Operations: ${operations.map(({ name }) => name).join(", ")}.
Peers: ${Object.keys(contestants).join(", ")}.

The peers are installed on first use, into packages/bench/peers: 500 packages, 800 MB.`;

const definition = {
  quick: { type: "boolean" },
  only: { type: "string", multiple: true },
  rows: { type: "string", multiple: true },
  rounds: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string" },
  "no-install": { type: "boolean" },
  output: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/**
 * Reads the command line.
 *
 * @throws OptionsError
 */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const quick = values.quick ?? false;
  const only = values.only ?? [];
  return {
    ...selectNames(only),
    rows: (values.rows ?? (quick ? ["10000"] : ["10000", "10000000"])).map((text) =>
      parseNumber("--rows", text, 10_000),
    ),
    rounds: parseNumber("--rounds", values.rounds ?? (quick ? "3" : "7"), 1),
    seconds: parseNumber("--seconds", values.seconds ?? (quick ? "0.3" : "1"), 0.1),
    connections: parseNumber("--connections", values.connections ?? "16", 1),
    install: !values["no-install"],
    commands: !quick && only.length === 0,
    output: values.output,
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

/** Those named; all of a kind of which none is named. This project is always among them. */
function selectNames(only: readonly string[]): Pick<Options, "operations" | "contestants"> {
  const known = operations.map(({ name }) => name);
  const unknown = only.find((name) => !known.includes(name) && !(name in contestants));
  if (unknown !== undefined) {
    throw new OptionsError(`--only is "${unknown}": there is no such operation or peer.`);
  }
  const named = (names: string[]) => {
    const chosen = names.filter((name) => only.includes(name));
    return chosen.length === 0 ? names : chosen;
  };
  const chosen = named(Object.keys(contestants));
  return {
    operations: named(known),
    contestants: ["rowhouse", ...chosen.filter((name) => name !== "rowhouse")],
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: definition }).values;
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function parseNumber(option: string, text: string, least: number): number {
  const isWhole = Number.isInteger(least);
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) >= least) {
    if (!isWhole || Number.isInteger(Number(text))) return Number(text);
  }
  throw new OptionsError(
    `${option} is "${text}": give a ${isWhole ? "whole " : ""}number from ${least}.`,
  );
}
