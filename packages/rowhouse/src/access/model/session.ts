import type pg from "pg";
import { errorCode, RowhouseError } from "../../lib/errors.ts";
import { openProject } from "../../lib/project.ts";
import { readableName } from "../../lib/readable-name.ts";
import { type ApiNames, readApiNames } from "../../stack/api-names.ts";
import { withClient, withoutPassword } from "../../stack/database.ts";
import type { ApiRole } from "./model.ts";

/** How many seconds a statement about the catalog may take. */
export const catalogTimeout = 30;

/**
 * Lets a command look at a database in one transaction that sees one moment and can write
 * nothing. It is rolled back in any case.
 *
 * @param seconds How long one statement may take.
 * @param read Gets the schemas and roles that PostgREST serves, too.
 * @param project Whose database it is: this one unless it is given.
 * @throws RowhouseError database_unreachable, database_refused, query_timeout,
 *   database_not_migrated when it has none of the exposed schemas, or no role to ask as.
 */
export async function withReadOnly<T>(
  url: string,
  seconds: number,
  read: (client: pg.Client, names: ApiNames) => Promise<T>,
  project = openProject(),
): Promise<T> {
  return withClient(url, async (client) => {
    await client.query("begin isolation level repeatable read read only");
    await client.query("select set_config('statement_timeout', $1, true)", [`${seconds}s`]);
    try {
      const names = await readApiNames(client, project);
      await assertMigrated(client, url, names);
      return await read(client, names);
    } catch (error) {
      throw errorCode(error) === "57014" ? tooSlow(seconds, error) : error;
    } finally {
      // The connection may be the thing that broke; it ends now in any case.
      await client.query("rollback").catch(() => {});
    }
  });
}

async function assertMigrated(
  client: pg.Client,
  url: string,
  { schemas, anonymous, roles }: ApiNames,
): Promise<void> {
  const { rows } = await client.query<{ found: boolean }>(
    "select exists (select from pg_catalog.pg_namespace where nspname = any ($1::text[])) as found",
    [schemas],
  );
  const isMissing = roles.length === 0 || (anonymous !== undefined && !roles.includes(anonymous));
  if (rows[0]?.found && !isMissing) return;
  const role = anonymous === undefined ? "a role that requests can have" : `the role ${anonymous}`;
  throw new RowhouseError(
    "database_not_migrated",
    `${withoutPassword(url)} lacks ${rows[0]?.found ? role : `the schema ${schemas.join(", ")}`}, which PostgREST would serve.`,
    "Name another database, or migrate this one: `npx rowhouse migrate`. Or correct postgrest.conf.",
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
 * @param table As SQL writes it, with its schema: "api.tasks".
 * @throws RowhouseError rows_hidden
 */
export async function assertSeesRows(client: pg.ClientBase, table: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    "select current_user as role where row_security_active($1::regclass) or not has_table_privilege($1::regclass, 'select')",
    [table],
  );
  if (rows[0] === undefined) return;
  throw new RowhouseError(
    "rows_hidden",
    `The role ${rows[0].role} does not see every row of ${table}: it is under row-level security itself, or may not read it.`,
    "Use a role with BYPASSRLS that may read the table (Neon's owner does), or a superuser.",
  );
}

/** Whether the role of a connection may act as a role of the API. */
export async function canBecome(client: pg.ClientBase, role: ApiRole): Promise<boolean> {
  await client.query("savepoint becoming");
  try {
    await client.query("select set_config('role', $1, true)", [role]);
    return true;
  } catch {
    return false; // No member of it, or there is no such role.
  } finally {
    await client.query("rollback to savepoint becoming");
  }
}

/** That a role may not act as another one, and what helps. */
export interface Obstacle {
  readonly message: string;
  readonly remedy: string;
}

/** Says that the role of a connection may not act as a role of the API. */
export async function describeNoMember(client: pg.ClientBase, role: ApiRole): Promise<Obstacle> {
  const { rows } = await client.query<{ session: string }>("select session_user as session");
  const [from, to] = [readableName(rows[0]?.session ?? ""), readableName(role)];
  return {
    message: `${from}, the role in the URL of the database, may not become ${to}`,
    remedy: `grant ${to} to ${from}, or use the URL of a role that may`,
  };
}

/** The same in a sentence, without its end. */
export function formatObstacle({ message, remedy }: Obstacle): string {
  return `${message}: ${remedy}`;
}
