import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import type { Platform } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import { isKind, listKind, readCatalogOn } from "../catalog/catalog.ts";
import { secretSetting } from "../catalog/secret.ts";
import { readDefaultPrivileges } from "../plan/default-privileges.ts";
import { readSnapshot, type Snapshot } from "../plan/snapshot.ts";
import type { Relations } from "./place.ts";
import { type KnownPlatform, platforms, readPresent, recognise } from "./platforms.ts";
import { readServed, type Served, type ServedOptions } from "./served.ts";

/** What has to be known of a database before it is read. */
export interface Setting {
  readonly served: Served;
  readonly platform: Platform;
  /** Lines about what to know. */
  readonly notes: readonly string[];
}

/** A database as `rowhouse init` reads it. */
export interface Source extends Setting {
  readonly snapshot: Snapshot;
  /** The roles that are its own. */
  readonly roles: readonly string[];
  /** The columns of each table in their order, as SQL writes them. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly relations: Relations;
}

/** The options of `rowhouse init` that are about the database. */
export interface SourceOptions extends ServedOptions {
  /** "supabase", "neon", or "none". */
  readonly platform?: string;
}

/** The URL by which nothing can be written: every transaction is read-only. */
export function toReadOnly(url: string): string {
  const reading = new URL(url);
  const given = reading.searchParams.get("options");
  const option = "-c default_transaction_read_only=on";
  reading.searchParams.set("options", given ? `${given} ${option}` : option);
  return reading.href;
}

/**
 * Finds out what of a database is the platform's, and what PostgREST serves.
 *
 * @param url From `toReadOnly`.
 * @param available The extensions that a scratch server can have.
 * @throws RowhouseError platform_unnamed, api_unknown, database_unreachable, database_refused
 */
export async function readSetting(
  url: string,
  options: SourceOptions,
  available: ReadonlySet<string>,
): Promise<Setting> {
  return withClient(url, async (client) => {
    const known = await findPlatform(client, options.platform);
    const present = await readPresent(client, known ?? none);
    const missing = (await listExtensions(client)).filter((name) => !available.has(name));
    const extensions = [...new Set([...present.extensions, ...missing])];
    const left = missing.filter((name) => !present.extensions.includes(name));
    return {
      served: await readServed(client, options, known),
      platform: { ...present, extensions },
      notes: [...left.map(describeMissing), ...(await readHiddenSettings(client))],
    };
  });
}

function describeMissing(name: string): string {
  return `No scratch server has the extension ${name}: it is left out, as if it were the platform's. SCRATCH_URL names a server that has it.`;
}

/**
 * Reads a database for a project; it is only read, and no row of it. The project's postgrest.conf says
 * already what is served.
 *
 * @throws RowhouseError database_unreachable, database_refused
 */
export async function readSource(url: string, setting: Setting): Promise<Source> {
  const { platform, served } = setting;
  return withClient(url, async (client) => {
    const catalog = await readCatalogOn(client, platform);
    const roles = await listOwnRoles(client, catalog, setting);
    const snapshot = await readSnapshot(url, { platform, roles, anonymous: served.anonymous });
    return {
      ...setting,
      notes: [...setting.notes, ...describeRowSecurity(snapshot.catalog)],
      snapshot,
      roles,
      columns: await readColumns(client),
      relations: await readRelations(client),
    };
  });
}

const none: Platform = { schemas: [], roles: [], extensions: [] };

/** @throws RowhouseError platform_unnamed */
async function findPlatform(
  client: pg.ClientBase,
  given: string | undefined,
): Promise<KnownPlatform | undefined> {
  if (given !== undefined) return platforms[given];
  const key = await recognise(client);
  if (key === undefined) return undefined;
  throw new RowhouseError(
    "platform_unnamed",
    `This looks like a database on ${platforms[key]?.name}: much in it is the platform's, and not yours.`,
    `Add --platform ${key}; or --platform none, to copy all of it.`,
  );
}

async function listExtensions(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select extname as name from pg_catalog.pg_extension order by extname",
  );
  return rows.map(({ name }) => name);
}

/** The roles that the catalog names, and those whose new objects get privileges; superusers are of the server. */
async function listOwnRoles(
  client: pg.ClientBase,
  catalog: readonly CatalogEntry[],
  { served, platform }: Setting,
): Promise<string[]> {
  const named = catalog.flatMap((entry) => {
    if (isKind(entry, "policy")) return entry.facts.roles;
    if (isKind(entry, "owner")) return [entry.facts.owner];
    const isGrant = isKind(entry, "grant") || isKind(entry, "default privilege");
    return isGrant ? [entry.facts.role] : [];
  });
  const defaults = await readDefaultPrivileges(client, platform);
  const creators = defaults.flatMap(({ creator, changed }) => (changed && creator) || []);
  const { rows } = await client.query<{ name: string }>(
    `select rolname as name
    from pg_catalog.pg_roles
    where (oid::regrole::text = any ($1) or rolname = $2)
    and rolname !~ '^pg_'
    and not rolsuper
    order by rolname`,
    [[...named, ...creators], served.anonymous ?? null],
  );
  return rows.map(({ name }) => name);
}

async function readColumns(client: pg.ClientBase): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select attrelid::regclass::text as table, array_agg(quote_ident(attname) order by attnum) as columns
    from pg_catalog.pg_attribute
    where attrelid >= 16384
    and attnum > 0
    and not attisdropped
    group by attrelid`,
  );
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}

async function readRelations(client: pg.ClientBase): Promise<Relations> {
  const { rows: kinds } = await client.query<{ name: string; kind: string }>(
    `select format('%s.%s', nspname, relname) as name,
      case relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view' when 'c' then 'type' else 'table' end as kind
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p', 'f', 'S', 'v', 'm', 'c')`,
  );
  const { rows: owners } = await client.query<{ sequence: string; schema: string; table: string }>(
    `select
      format('%s.%s', place.nspname, sequence.relname) as sequence,
      owning.nspname as schema,
      owner.relname as table
    from pg_catalog.pg_depend
    join pg_catalog.pg_class as sequence on sequence.oid = objid and sequence.relkind = 'S'
    join pg_catalog.pg_namespace as place on place.oid = sequence.relnamespace
    join pg_catalog.pg_class as owner on owner.oid = refobjid
    join pg_catalog.pg_namespace as owning on owning.oid = owner.relnamespace
    where classid = 'pg_class'::regclass
    and refclassid = 'pg_class'::regclass
    and deptype in ('a', 'i')
    and refobjsubid > 0`,
  );
  return {
    kinds: new Map(kinds.map(({ name, kind }) => [name, kind])),
    owners: new Map(owners.map(({ sequence, schema, table }) => [sequence, [schema, table]])),
  };
}

/** What looks like a secret is not taken over: only its name is written down. */
async function readHiddenSettings(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string; role: string }>(
    `select split_part(setting, '=', 1) as name, coalesce('role ' || nullif(setrole, 0)::regrole, 'all roles') as role
    from pg_catalog.pg_db_role_setting
    cross join unnest(setconfig) as setting
    where setting ~* $1
    and setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
    order by 1, 2`,
    [secretSetting],
  );
  return rows.map(
    ({ name, role }) =>
      `The setting ${name} of ${role} looks like a secret: its value was not taken over. Set it on each server by hand.`,
  );
}

function describeRowSecurity(catalog: readonly CatalogEntry[]): string[] {
  const tables = listKind(catalog, "table").filter(({ facts }) =>
    /^(partitioned )?table$/.test(facts.relation),
  );
  return tables.length === 0 || tables.some(({ facts }) => facts.rowSecurity)
    ? []
    : ["No table has row-level security: whoever may read a table reads all of its rows."];
}
