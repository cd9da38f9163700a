import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Platform } from "../../lib/project.ts";

/** What a hosted PostgreSQL brings along, and how PostgREST is configured to serve it. */
export interface KnownPlatform extends Platform {
  readonly name: string;
  /** What is served unless the database or an option says otherwise. */
  readonly served: readonly string[];
  readonly anonymous: string;
  /** PostgREST adds these to the search path of every request. */
  readonly extraSearchPath: string;
  /** The most rows in one response. */
  readonly maxRows?: string;
  /** What each database there has; the stubs bring the schemas. */
  readonly required: Pick<Platform, "schemas" | "roles">;
}

/** The platforms that stubs are there for, each in `platforms/<name>.sql`. */
export const platforms: Readonly<Record<string, KnownPlatform>> = {
  supabase: {
    name: "Supabase",
    served: ["public"],
    anonymous: "anon",
    extraSearchPath: "public, extensions",
    maxRows: "1000",
    required: { schemas: ["auth", "extensions", "realtime", "storage"], roles: [] },
    schemas: [
      "_analytics",
      "_realtime",
      "_supavisor",
      "auth",
      "cron",
      "extensions",
      "graphql",
      "graphql_public",
      "net",
      "pgbouncer",
      "pgmq",
      "pgmq_public",
      "pgsodium",
      "pgsodium_masks",
      "pgtle",
      "realtime",
      "storage",
      "supabase_functions",
      "supabase_migrations",
      "vault",
    ],
    roles: [
      "cli_login_postgres",
      "dashboard_user",
      "pgbouncer",
      "pgsodium_keyholder",
      "pgsodium_keyiduser",
      "pgsodium_keymaker",
      "pgtle_admin",
      "supabase_admin",
      "supabase_auth_admin",
      "supabase_etl_admin",
      "supabase_functions_admin",
      "supabase_privileged_role",
      "supabase_read_only_user",
      "supabase_realtime_admin",
      "supabase_replication_admin",
      "supabase_storage_admin",
      "supabase_superuser",
    ],
    extensions: ["pg_graphql", "pg_stat_statements", "pgsodium", "supabase_vault"],
  },
  neon: {
    name: "Neon",
    served: ["public"],
    anonymous: "anonymous",
    extraSearchPath: "public",
    required: { schemas: [], roles: ["neon_superuser"] },
    schemas: ["auth", "neon", "neon_auth", "neon_migration", "pgrst"],
    roles: ["cloud_admin", "neon_service", "neon_superuser"],
    extensions: ["neon", "neon_utils", "pg_session_jwt", "pg_stat_statements"],
  },
};

/** The SQL that makes a platform's stubs. */
export function readStubs(key: string): string {
  return readFileSync(join(import.meta.dirname, "platforms", `${key}.sql`), "utf8");
}

/** What a database holds of a platform: only that is written into the project. */
export async function readPresent(client: pg.ClientBase, platform: Platform): Promise<Platform> {
  const { rows } = await client.query<Platform>(
    `select
      array(select nspname::text from pg_catalog.pg_namespace where nspname = any ($1) order by 1) as schemas,
      array(select rolname::text from pg_catalog.pg_roles where rolname = any ($2) order by 1) as roles,
      array(select extname::text from pg_catalog.pg_extension where extname = any ($3) order by 1) as extensions`,
    [platform.schemas, platform.roles, platform.extensions],
  );
  return rows[0] as Platform;
}

/** The platform that a database looks like one of; undefined when it looks like none. */
export async function recognise(client: pg.ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ key: string }>(
    `select 'supabase' as key from pg_catalog.pg_roles where rolname in ('supabase_admin', 'supabase_auth_admin')
    union all
    select 'neon' from pg_catalog.pg_roles where rolname = 'neon_superuser'
    limit 1`,
  );
  return rows[0]?.key;
}
