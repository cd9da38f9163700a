import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { readLoginSettings } from "../../stack/api-names.ts";
import type { KnownPlatform } from "./platforms.ts";

/** What PostgREST is configured to serve. */
export interface Served {
  readonly schemas: readonly string[];
  readonly anonymous: string | undefined;
  readonly preRequest: string | undefined;
  readonly extraSearchPath: string | undefined;
  readonly maxRows: string | undefined;
  /** The role that PostgREST logs in as; undefined when nothing says it. */
  readonly login: string | undefined;
}

/** What the command line says of it. */
export interface ServedOptions {
  readonly schemas?: readonly string[];
  readonly anonRole?: string;
  /** False when there is none, whatever the database says. */
  readonly preRequest?: string | false;
  readonly login?: string;
}

/**
 * Finds out what PostgREST serves of a database: by the options, then by the `pgrst.*` settings of
 * PostgREST's login role, then by what the platform does.
 *
 * @returns It, and lines about what was chosen.
 * @throws RowhouseError api_unknown, also when the database lacks what is named.
 */
export async function readServed(
  client: pg.ClientBase,
  options: ServedOptions,
  platform: KnownPlatform | undefined,
): Promise<{ served: Served; notes: string[] }> {
  const usual = options.anonRole ?? platform?.anonymous;
  const { login, notes } = await chooseLogin(client, options.login, usual);
  const settings = await readLoginSettings(client, usual, login);
  const listed = settings.get("db_schemas") ?? settings.get("db_schema");
  const schemas = options.schemas ?? splitList(listed) ?? platform?.served;
  if (schemas === undefined) throw await createUnknown(client);
  const preRequest = options.preRequest ?? settings.get("db_pre_request");
  const served = {
    schemas,
    anonymous: options.anonRole ?? settings.get("db_anon_role") ?? platform?.anonymous,
    preRequest: preRequest || undefined,
    extraSearchPath: settings.get("db_extra_search_path") ?? platform?.extraSearchPath,
    maxRows: settings.get("db_max_rows") ?? settings.get("max_rows") ?? platform?.maxRows,
    login,
  };
  await assertThere(client, served);
  return { served, notes };
}

const loginsQuery = readFileSync(join(import.meta.dirname, "logins.sql"), "utf8");

/** Another project on the server may have a login role with settings, too. */
async function chooseLogin(
  client: pg.ClientBase,
  given: string | undefined,
  anonymous: string | undefined,
): Promise<{ login: string | undefined; notes: string[] }> {
  if (given !== undefined) return { login: given, notes: [] };
  const { rows } = await client.query<{ name: string; settings: string }>(loginsQuery, [
    anonymous ?? null,
  ]);
  const login = rows[0]?.name;
  const differ = new Set(rows.map(({ settings }) => settings)).size > 1;
  const others = rows.slice(1).map(({ name }) => name);
  return {
    login,
    notes: differ
      ? [
          `Several login roles have settings of PostgREST: those of ${login} were taken, and not those of ${others.join(", ")}. --login names another.`,
        ]
      : [],
  };
}

function splitList(value: string | undefined): string[] | undefined {
  return value?.split(",").map((name) => name.trim());
}

/** The schemas that there are help to write the option. */
async function createUnknown(client: pg.ClientBase): Promise<RowhouseError> {
  const { rows } = await client.query<{ name: string }>(
    "select nspname as name from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by nspname",
  );
  return new RowhouseError(
    "api_unknown",
    "The login role of PostgREST does not say what is served (pgrst.db_schemas).",
    `Give --schemas, and --anon-role where requests without a token are let in. The schemas: ${rows.map(({ name }) => name).join(", ")}.`,
  );
}

async function assertThere(client: pg.ClientBase, served: Served): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    `select 'schema ' || name as missing
    from unnest($1::text[]) as name
    where name not in (select nspname from pg_catalog.pg_namespace)
    union all
    select 'role ' || name
    from unnest($2::text[]) as name
    where name not in (select rolname from pg_catalog.pg_roles)
    union all
    select 'function ' || $3::text
    where not exists (
      select
      from pg_catalog.pg_proc
      join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
      where $3::text in (proname, format('%s.%s', nspname, proname), format('%I.%I', nspname, proname))
    )`,
    [
      served.schemas,
      [served.anonymous, served.login].filter((name) => name !== undefined),
      served.preRequest ?? null,
    ],
  );
  const missing = rows.flatMap((row) => row.missing ?? []);
  if (missing.length === 0) return;
  throw new RowhouseError(
    "api_unknown",
    `The database has no ${missing.join(", no ")}.`,
    "Correct --schemas, --anon-role, --pre-request (--no-pre-request for none) or --login, the role that PostgREST logs in as.",
  );
}
