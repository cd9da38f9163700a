import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { findProject } from "../../lib/project.ts";
import { readApiNames } from "../../stack/api-names.ts";
import { withClient } from "../../stack/database.ts";

const query = readFileSync(join(import.meta.dirname, "owner.sql"), "utf8");

/** The role that most in the exposed schemas of a database belongs to, and so its migrations run as. */
export async function readOwner(client: pg.ClientBase): Promise<string> {
  const { schemas } = await readApiNames(client, findProject());
  const { rows } = await client.query<{ name: string }>(query, [schemas]);
  return rows[0]?.name ?? "";
}

/**
 * The URL to build a throwaway database with, so that all in it belongs to the role that another
 * database belongs to. Owners are ignored here, but a plan would change them: it creates
 * functions again, and takes default privileges for another role's.
 *
 * @param built The throwaway database, empty, as superuser.
 * @param url The other one; it is only read.
 */
export async function withSameOwner(url: string, built: string): Promise<string> {
  const owner = await withClient(url, readOwner);
  return withClient(built, async (client) => {
    const { rows } = await client.query<{ isIt: boolean; isThere: boolean }>(
      `select current_user = $1 as "isIt", exists (select from pg_roles where rolname = $1) as "isThere"`,
      [owner],
    );
    if (rows[0]?.isIt) return built;
    const role = client.escapeIdentifier(owner);
    if (!rows[0]?.isThere) await client.query(`create role ${role} superuser`);
    const database = client.escapeIdentifier(new URL(built).pathname.slice(1));
    await client.query(`alter database ${database} owner to ${role}`);
    const theirs = new URL(built);
    theirs.searchParams.set("options", `-c role=${owner.replace(/[\\\s]/g, "\\$&")}`);
    return theirs.href;
  });
}
