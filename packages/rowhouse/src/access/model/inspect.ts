import type pg from "pg";
import { buildDeclared } from "../../schema/catalog/declared.ts";
import type { ApiNames } from "../../stack/api-names.ts";
import { withClient } from "../../stack/database.ts";
import { withScratch } from "../../stack/scratch.ts";
import { catalogTimeout, withReadOnly } from "./session.ts";

/**
 * Lets a command read a database, in a transaction that can write nothing.
 *
 * @param against The URL of the database; without it, it is the declared one, built on a
 *   throwaway server.
 * @param prepare What to do first to a declared database: it is thrown away.
 * @throws RowhouseError declaration_failed, database_unreachable, database_refused,
 *   query_timeout, database_not_migrated.
 */
export async function inspect<T>(
  against: string | undefined,
  read: (client: pg.Client, names: ApiNames) => Promise<T>,
  prepare?: (client: pg.Client) => Promise<unknown>,
): Promise<T> {
  if (against !== undefined) return withReadOnly(against, catalogTimeout, read);
  return withScratch(async (scratch) => {
    const url = await scratch.create();
    await buildDeclared(url);
    if (prepare) await withClient(url, prepare);
    return withReadOnly(url, catalogTimeout, read);
  });
}
