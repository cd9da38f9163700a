import type pg from "pg";
import { errorCode, RowhouseError } from "../../lib/errors.ts";
import { withClient, withoutPassword } from "../../stack/database.ts";
import type { ApiRole } from "./model.ts";
import { sqlName } from "./names.ts";

/** How many seconds a statement about the catalog may take. */
export const catalogTimeout = 30;

/**
 * Lets a command look at a database in one transaction that sees one moment and can write
 * nothing. It is rolled back in any case.
 *
 * @param seconds How long one statement may take.
 * @throws RowhouseError database_unreachable, database_refused, query_timeout,
 *   database_not_migrated when there is no schema api or no role to ask as.
 */
export async function withReadOnly<T>(
  url: string,
  seconds: number,
  read: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(url, async (client) => {
    await client.query("begin isolation level repeatable read read only");
    await client.query("select set_config('statement_timeout', $1, true)", [`${seconds}s`]);
    try {
      await assertMigrated(client, url);
      return await read(client);
    } catch (error) {
      throw errorCode(error) === "57014" ? tooSlow(seconds, error) : error;
    } finally {
      // The connection may be the thing that broke; it ends now in any case.
      await client.query("rollback").catch(() => {});
    }
  });
}

async function assertMigrated(client: pg.Client, url: string): Promise<void> {
  const { rows } = await client.query<{ missing: boolean }>(
    "select num_nulls(to_regclass('api.users'), to_regrole('anonymous'), to_regrole('authenticated')) > 0 as missing",
  );
  if (!rows[0]?.missing) return;
  throw new RowhouseError(
    "database_not_migrated",
    `${withoutPassword(url)} lacks the table api.users, or the roles anonymous and authenticated.`,
    "Name another database, or migrate this one: `npx rowhouse migrate`.",
  );
}

function tooSlow(seconds: number, cause: unknown): RowhouseError {
  return new RowhouseError(
    "query_timeout",
    `A statement took longer than ${seconds} s, and was stopped.`,
    'Give it longer with --timeout <seconds>, where the command has that; else see what it waits for: docs/operations.md, "Slow API".',
    { cause },
  );
}

/**
 * Makes sure that the role of a connection sees every row of a table.
 *
 * @param table Without its schema, which is api.
 * @throws RowhouseError rows_hidden
 */
export async function assertSeesRows(client: pg.ClientBase, table: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    "select current_user as role where row_security_active($1::regclass) or not has_table_privilege($1::regclass, 'select')",
    [sqlName(table)],
  );
  if (rows[0] === undefined) return;
  throw new RowhouseError(
    "rows_hidden",
    `The role ${rows[0].role} does not see every row of api.${table}: it is under row-level security itself, or may not read it.`,
    "Use a role with BYPASSRLS that may read the table (Neon's owner does), or a superuser.",
  );
}

/** Whether the role of a connection may act as a role of the API. */
export async function canBecome(client: pg.ClientBase, role: ApiRole): Promise<boolean> {
  await client.query("savepoint becoming");
  try {
    await client.query(`set local role ${role}`);
    return true;
  } catch {
    return false; // No member of it, or there is no such role.
  } finally {
    await client.query("rollback to savepoint becoming");
  }
}
