import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { areEqual, type CatalogEntry, readCatalogOn } from "../schema/catalog/catalog.ts";
import { withClient } from "../stack/database.ts";
import { defaultLockRetries } from "../stack/lock-retries.ts";

/**
 * Applies statements to the dev database in one transaction, and notifies PostgREST. It is committed
 * only when the database then holds what it should.
 *
 * @param plans Several ways to get there: the first that arrives is taken.
 * @param lockTimeout How long a statement may wait for a lock.
 * @throws RowhouseError plan_unproven when none does; nothing has changed then.
 */
export async function applyToDev(
  url: string,
  plans: readonly (readonly string[])[],
  declared: readonly CatalogEntry[],
  lockTimeout = `${defaultLockRetries.lockTimeout}s`,
): Promise<void> {
  await withClient(url, async (client) => {
    let reason = "";
    for (const statements of plans) {
      await client.query(`begin; set local lock_timeout = '${lockTimeout}'`);
      const failure = await attempt(client, statements, declared);
      if (failure === undefined) {
        await client.query("notify pgrst, 'reload schema'; notify pgrst, 'reload config'; commit");
        return;
      }
      await client.query("rollback");
      if (errorCode(failure) === lockNotAvailable) throw busy(lockTimeout, failure);
      reason = errorMessage(failure);
    }
    throw new RowhouseError(
      "plan_unproven",
      `Cannot bring the dev database to what is declared: ${reason}`,
      "Nothing was changed. Change it in smaller steps, or start over: stop, and delete the home.",
    );
  });
}

const lockNotAvailable = "55P03";

function busy(lockTimeout: string, cause: unknown): RowhouseError {
  return new RowhouseError(
    "plan_unproven",
    `The dev database is busy: another session held a lock that this change needs for ${lockTimeout}.`,
    "Nothing was changed. End that transaction (pg_stat_activity shows it), and save again.",
    { cause },
  );
}

/** @returns Why it does not arrive. */
async function attempt(
  client: pg.Client,
  statements: readonly string[],
  declared: readonly CatalogEntry[],
): Promise<Error | undefined> {
  try {
    for (const sql of statements) await client.query(sql);
    const there = areEqual(declared, await readCatalogOn(client));
    return there ? undefined : new Error("the planned statements arrive somewhere else.");
  } catch (error) {
    return error instanceof Error ? error : new Error(errorMessage(error));
  }
}
