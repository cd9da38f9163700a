import { Command, Option } from "commander";
import type { Statement } from "../health/slow/statements.ts";
import { RowhouseError } from "../lib/errors.ts";
import { printResult } from "../lib/output.ts";
import { withExistingDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { readSettings } from "../stack/settings.ts";
import { parseCount } from "./options.ts";

const help = `
It reads pg_stat_statements, which the embedded server has; docs/deploy.md shows how to enable it elsewhere.
The numbers count since the server was new, or since pg_stat_statements_reset().
The plan is the one that suits any values: with row-level security, and not run. It needs
PostgreSQL 16.

  rowhouse slow --by mean
  rowhouse slow --plan 1 --as alice@example.com`;

interface Options {
  readonly by: "total" | "mean";
  readonly limit: number;
  readonly all?: true;
  readonly plan?: number;
  readonly as?: string;
  readonly json?: true;
}

/** `rowhouse slow` */
export const slowCommand = new Command("slow")
  .description("list the slowest statements, and show a statement's plan for a user")
  .addOption(new Option("--by <time>", "order by it").choices(["total", "mean"]).default("total"))
  .option("-n, --limit <count>", "how many", parseCount, 10)
  .option("--all", "include the statements of this command's own role")
  .option("--plan <number>", "show the plan of the statement with this number", parseCount)
  .option("--as <user>", "for whom: an email address, a user's id, or anonymous")
  .option("--json", "for programs")
  .addHelpText("after", help)
  .action(listSlow);

async function listSlow(
  { by, limit, all, plan, as, json }: Options,
  command: Command,
): Promise<void> {
  if ((plan === undefined) !== (as === undefined)) {
    command.error("error: --plan and --as go together: a plan depends on who asks");
  }
  const settings = readSettings();
  const { slowStatements } = await import("../health/slow/statements.ts");
  await withExistingDatabase(settings, openHome(settings.home), async (url) => {
    const statements = await slowStatements(url, by, Math.max(limit, plan ?? 0), all ?? false);
    if (plan !== undefined && as !== undefined) return printPlan(url, statements, plan, as, json);
    const { describeStatements } = await import("../health/slow/text.ts");
    printResult(statements, json, describeStatements);
  });
}

async function printPlan(
  url: string,
  statements: readonly Statement[],
  number: number,
  as: string,
  json: true | undefined,
): Promise<void> {
  const statement = statements[number - 1];
  if (statement === undefined) {
    throw new RowhouseError(
      "statement_unknown",
      `There is no statement ${number}: ${statements.length} are recorded.`,
      "`rowhouse slow` lists them, with their numbers.",
    );
  }
  const { planFor } = await import("../health/slow/plan.ts");
  const plan = await planFor(url, statement, as);
  printResult({ ...statement, as, plan }, json, () => [statement.statement, "", ...plan]);
}
