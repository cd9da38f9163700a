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
}

/** What the command line says of it. */
export interface ServedOptions {
  readonly schemas?: readonly string[];
  readonly anonRole?: string;
  readonly preRequest?: string;
}

/**
 * Finds out what PostgREST serves of a database: by the options, then by the `pgrst.*` settings of
 * PostgREST's login role, then by what the platform does.
 *
 * @throws RowhouseError api_unknown, also when the database lacks what is named.
 */
export async function readServed(
  client: pg.ClientBase,
  options: ServedOptions,
  platform: KnownPlatform | undefined,
): Promise<Served> {
  const settings = await readLoginSettings(client, options.anonRole ?? platform?.anonymous);
  const listed = settings.get("db_schemas") ?? settings.get("db_schema");
  const schemas = options.schemas ?? splitList(listed) ?? platform?.served;
  if (schemas === undefined) throw await createUnknown(client);
  const served = {
    schemas,
    anonymous: options.anonRole ?? settings.get("db_anon_role") ?? platform?.anonymous,
    preRequest: options.preRequest ?? settings.get("db_pre_request"),
    extraSearchPath: settings.get("db_extra_search_path") ?? platform?.extraSearchPath,
  };
  await assertThere(client, served);
  return served;
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
    select 'role ' || $2::text
    where $2::text not in (select rolname from pg_catalog.pg_roles)
    union all
    select 'function ' || $3::text
    where not exists (
      select
      from pg_catalog.pg_proc
      join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
      where $3::text in (proname, format('%s.%s', nspname, proname), format('%I.%I', nspname, proname))
    )`,
    [served.schemas, served.anonymous ?? null, served.preRequest ?? null],
  );
  const missing = rows.flatMap((row) => row.missing ?? []);
  if (missing.length === 0) return;
  throw new RowhouseError(
    "api_unknown",
    `The database has no ${missing.join(", no ")}.`,
    "Correct --schemas, --anon-role or --pre-request.",
  );
}
