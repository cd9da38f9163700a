import { actAs, findCaller } from "../../access/model/caller.ts";
import { withReadOnly } from "../../access/model/session.ts";
import { errorCode, errorMessage, RowhouseError } from "../../lib/errors.ts";
import type { Statement } from "./statements.ts";

/** How many seconds the planning may take. */
const planTimeout = 30;

/**
 * How PostgreSQL would run a statement for a user: under row-level security, whatever the values
 * are. It does not run it, and the transaction is rolled back.
 *
 * @param as An email address, a user's id, or the anonymous role.
 * @returns The lines of the plan.
 * @throws RowhouseError plan_unknown, user_unknown, user_ambiguous, rows_hidden
 */
export async function planFor(url: string, { statement }: Statement, as: string) {
  return withReadOnly(url, planTimeout, async (client, names) => {
    const caller = await findCaller(client, names, as);
    const { rows } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    );
    if ((rows[0]?.version ?? 0) < 160_000) {
      throw unknown("a plan without values needs PostgreSQL 16");
    }
    if (!/^\s*(select|with|insert|update|delete|merge|values)\b/i.test(statement)) {
      throw unknown("only queries have a plan");
    }
    await actAs(client, caller, true);
    try {
      const plan = await client.query<{ "QUERY PLAN": string }>(
        `explain (generic_plan, costs off) ${withBodyType(statement)}`,
      );
      return plan.rows.map((row) => row["QUERY PLAN"]);
    } catch (error) {
      if (errorCode(error) === "57014") throw error;
      throw unknown(errorMessage(error), error);
    }
  });
}

/** PostgREST gives the type of a body beside the text: without it the text means nothing. */
function withBodyType(statement: string): string {
  return statement.replace(/\(SELECT (\$\d+) AS json_data\)/, "(SELECT $1::json AS json_data)");
}

function unknown(reason: string, cause?: unknown): RowhouseError {
  return new RowhouseError(
    "plan_unknown",
    `PostgreSQL cannot plan this statement: ${reason}.`,
    "Choose another one, or run explain by hand with values of your own.",
    { cause },
  );
}
