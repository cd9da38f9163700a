import { Argument, Command } from "commander";
import { parseClaims } from "../access/why/question.ts";
import { parseRow } from "../access/why/rows.ts";
import type { Answer } from "../access/why/why.ts";
import { RowhouseError } from "../lib/errors.ts";
import { printResult } from "../lib/output.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { parseCount } from "./options.ts";

const help = `
The row is the one with that id, of any user; --owner chooses one where several have it.
An insert checks whether a row like that one, or like --row, would pass. Grants, defaults and
policies are checked; constraints, triggers and the pre-request function (db-pre-request) are not tried,
and may refuse it all the same. The token has the claims role, sub and email,
and those of --claims; without --as those of --claims alone, and without a role it is anonymous. An upsert has to pass the policies of insert, update and select; a row that is
wanted back those of select.
Without an id the policies are listed, not evaluated.
It only reads. The exit code is 0 when allowed, or for some rows; 2 when not, or when the request fails, of any row named;
1 on an error.

  rowhouse why --as alice@example.com delete tasks 019aa5b2-3c8e-7d6f-8a1b-2c3d4e5f6a7b
  rowhouse why --as bob@example.com insert tasks --row '{"title": "Buy milk"}'
  rowhouse why --as bob@example.com select tasks --claims '{"team": "red"}'
  rowhouse why --claims '{"role": "editor", "sub": "42"}' update posts 7
A row of a key of several columns is named by their values: 7,42. One that holds a comma stands in
quotes, as in CSV: '"a,b",42'.`;

interface Options {
  readonly as?: string;
  readonly owner?: string;
  readonly row?: string;
  readonly claims?: string;
  readonly upsert?: true;
  readonly returning?: true;
  readonly timeout: number;
  readonly all?: true;
  readonly json?: true;
}

/** `rowhouse why` */
export const whyCommand = new Command("why")
  .description("show whether a user may do something to a row, and which policy decides")
  .addArgument(new Argument("<verb>").choices(["select", "insert", "update", "delete"]))
  .argument("<table>", "like tasks, or api.tasks")
  .argument("[id]", "the row")
  .option("--as <user>", "an email address, a user's id, or anonymous")
  .option("--owner <id>", "the user whose row it is")
  .option("--row <json>", "a row to insert, or the columns that an update changes")
  .option("--claims <json>", "all claims of the token; with --as, those beside sub and role")
  .option("--upsert", "the insert updates a row with the same key (resolution=merge-duplicates)")
  .option("--returning", "the request wants the whole row back (return=representation)")
  .option("--timeout <seconds>", "how long one statement may take", parseCount, 30)
  .option("--all", "also list the policies that do not apply")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(answerQuestion);

async function answerQuestion(
  verb: Answer["verb"],
  table: string,
  id: string | undefined,
  options: Options,
  command: Command,
): Promise<void> {
  if (options.as === undefined && options.claims === undefined)
    command.error("error: name who asks: --as <user>, or --claims <json> with all of a token");
  const settings = readSettings();
  const { why } = await import("../access/why/why.ts");
  const { explain } = await import("../access/why/explain.ts");
  const question = {
    as: options.as,
    claims: options.claims === undefined ? {} : parseClaims(options.claims, options.as),
    verb,
    table,
    id: id ?? null,
    owner: options.owner ?? null,
    upsert: options.upsert ?? false,
    returning: options.returning ?? false,
    row: options.row === undefined ? null : parseRow(options.row),
  };
  const answer = await withDatabase(settings, openHome(settings.home), (url) =>
    why(url, question, options.timeout),
  );
  printResult(answer, options.json, () => explain(answer, options.all ?? false));
  if (answer.rows.some(({ verdict }) => verdict === "no")) process.exitCode = 2;
  else assertClear(answer);
}

function assertClear({ rows, obstacle }: Answer): void {
  const unclear = rows.find(({ verdict }) => verdict === "unknown");
  if (unclear === undefined) return;
  throw new RowhouseError(
    "verdict_unknown",
    unclear.reason,
    obstacle === null
      ? "Try it as the user, on a copy of the database."
      : `To let it be evaluated as the user: ${obstacle.remedy}.`,
  );
}
