import { Command } from "commander";
import { type Moved, moveUser, type Step } from "../cells/move.ts";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import { note, printResult } from "../lib/output.ts";
import { interruptible } from "../lib/signals.ts";
import { readSettings } from "../stack/settings.ts";
import { parseDatabaseUrl } from "./options.ts";

const help = `
The rows are those that foreign keys lead to from api.users. While they are copied, the edge
answers the user's writes with 503 and Retry-After, which the client sends again; reads go on.
When it fails half-way, or at Ctrl-C, it is taken back; when it is killed, run it again.
Rows that others share stay where they are: a user who has such is refused.

  rowhouse cells move alice@example.com --from postgres://... --to postgres://... \\
    --cell b --map cells/cells.map --socket sockets/edge.sock`;

interface Options {
  readonly from: string;
  readonly to: string;
  readonly cell: string;
  readonly map: string;
  readonly socket: readonly string[];
  readonly sub?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const moveCommand = new Command("move")
  .description("move a user's rows to another cell")
  .argument("<user>", "an email address, or a user's id")
  .requiredOption("--from <url>", "the database of the user's cell", parseDatabaseUrl)
  .requiredOption("--to <url>", "the database of the other cell", parseDatabaseUrl)
  .requiredOption("--cell <name>", "what the map calls the other cell")
  .requiredOption("--map <file>", "the map of the edge: cells.map")
  .option("--socket <path...>", "the socket of each edge", [])
  .option("--sub <sub>", "the sub of the user's tokens, where it is no UUID")
  .option("--dry-run", "show what would be moved, and change nothing")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(move);

/** `rowhouse cells` */
export const cellsCommand = new Command("cells")
  .description("move users between cells: databases that each have a part of the users")
  .addCommand(moveCommand);

async function move(user: string, options: Options): Promise<void> {
  const { from, to, cell, map, socket, sub, dryRun = false, json } = options;
  if (!dryRun && socket.length === 0) {
    throw new RowhouseError(
      "settings_invalid",
      "--socket is missing: without it the edge would not know of the move.",
      "Give the socket of each edge, or --dry-run.",
    );
  }
  const iss = readSettings().jwtIss;
  const onStep = (step: Step) => json || note(steps[step]);
  const where = { user, sub, iss, from, to, cell, map, sockets: socket };
  const moved = await interruptible((signal) =>
    moveUser({ ...where, dryRun, signal, onStep }).catch((error) => {
      // Else the last word were that it was interrupted, and not where the user is.
      if (signal.aborted) note(errorMessage(error));
      throw error;
    }),
  );
  printResult(moved, json, describe);
}

const steps: Readonly<Record<Step, string>> = {
  hold: "Holding the user's writes ...",
  drain: "Waiting for writes under way ...",
  copy: "Copying ...",
  keep: "Committing in the new cell ...",
  switch: "Switching the map ...",
  delete: "Deleting in the old cell ...",
};

function describe({ user, from, to, moved, tables }: Moved): readonly string[] {
  const ended = moved ? "Ended" : "Would end";
  const verb = moved ? "Moved" : "Would move";
  return [
    from === to
      ? `${ended} the move of ${user} to ${to}, which was interrupted:`
      : `${verb} ${user} from ${from} to ${to}:`,
    ...tables.map(({ table, rows }) => `  ${table}  ${rows}`),
  ];
}
