import picocolors from "picocolors";

/** What the choice depends on: the environment, and whether each output is a terminal. */
export interface OutputContext {
  env: Readonly<Record<string, string | undefined>>;
  terminals: readonly (boolean | undefined)[];
}

/**
 * Whether to print with colours: only when every output is a terminal that knows them. picocolors
 * itself also colours a pipe wherever `CI` is set, which leaves escape codes in what a script reads.
 * `NO_COLOR` and `FORCE_COLOR`, when not empty, decide for all outputs, the former first
 * (https://no-color.org, https://force-color.org).
 */
export function wantsColours({ env, terminals }: OutputContext): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return true;
  return env.TERM !== "dumb" && terminals.every(Boolean);
}

/** The colours of everything that the command prints; each is the plain text where none are wanted. */
export const colours = picocolors.createColors(
  wantsColours({ env: process.env, terminals: [process.stdout.isTTY, process.stderr.isTTY] }),
);
