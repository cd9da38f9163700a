import { span } from "./format.ts";
import type { Status } from "./status.ts";

/** A transaction that is open longer keeps vacuum from its work. */
const longSeconds = 300;

/** How full the server may be: the last connections are for whoever mends it. */
const crowded = 0.9;

/** What is wrong at this moment, a sentence each; none when all is well. */
export function findProblems({ api, database, migrations, copies }: Omit<Status, "problems">) {
  const pending = migrations.filter(({ applied }) => !applied).length;
  const { connections, maxConnections, pool, oldestTransactionSeconds } = database;
  const open = connections.reduce((sum, { count }) => sum + count, 0);
  const old = oldestTransactionSeconds ?? 0;
  return [
    pending > 0 && `${pending} of ${migrations.length} migrations are pending.`,
    api?.answers === false && `The API does not answer at ${api.url}.`,
    open >= crowded * maxConnections && `${open} of ${maxConnections} connections are taken.`,
    api !== undefined && pool.busy >= pool.size && "Every connection of the pool is busy.",
    old > longSeconds && `A transaction has been open for ${span(old)}.`,
    ...copies
      .filter(({ drill }) => drill?.ok === false)
      .map(
        ({ database }) => `The last drill of ${database} failed: no backup is known to be good.`,
      ),
  ].filter((problem) => problem !== false);
}
