import type pg from "pg";
import { buildDeclared } from "../../schema/catalog/declared.ts";
import { withScratch } from "../../stack/scratch.ts";
import { catalogTimeout, withReadOnly } from "./session.ts";

/**
 * Lets a command read a database, in a transaction that can write nothing.
 *
 * @param against The URL of the database; without it, it is the declared one, built on a
 *   throwaway server.
 * @throws RowhouseError declaration_failed, database_unreachable, database_refused,
 *   query_timeout, database_not_migrated.
 */
export async function inspect<T>(
  against: string | undefined,
  read: (client: pg.Client) => Promise<T>,
): Promise<T> {
  if (against !== undefined) return withReadOnly(against, catalogTimeout, read);
  return withScratch(async (scratch) => {
    const url = await scratch.create();
    await buildDeclared(url);
    return withReadOnly(url, catalogTimeout, read);
  });
}
