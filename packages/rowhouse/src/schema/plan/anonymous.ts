import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { readProject } from "../../lib/project.ts";
import { readPostgrestConf } from "../../stack/postgrest-conf.ts";
import type { PublicRoles } from "./public-access.ts";

/**
 * The role of a request without a token, as postgrest.conf and PGRST_* variables of a project name
 * it; undefined when they name none.
 *
 * @throws RowhouseError settings_invalid
 */
export function readAnonymousRole(root: string): string | undefined {
  const { postgrestConf } = readProject(root);
  return existsSync(postgrestConf) ? readPostgrestConf(postgrestConf).anonRole : undefined;
}

const query = readFileSync(join(import.meta.dirname, "anonymous.sql"), "utf8");

/**
 * All that a request without a token can act as: PUBLIC, the role that PostgREST takes, and those
 * which that role is a member of. Settings of the database (`pgrst.db_anon_role`) count, too.
 *
 * @param configured The role that a configuration names.
 */
export async function readPublicRoles(
  client: pg.ClientBase,
  configured: string | undefined,
): Promise<PublicRoles> {
  const { rows } = await client.query<{ name: string }>(query, [configured ?? null]);
  return new Set(["public", ...rows.map(({ name }) => name)]);
}
