import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { openProject, type Platform } from "../../lib/project.ts";
import { readApiNames } from "../../stack/api-names.ts";
import { withClient, withoutPassword } from "../../stack/database.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import { isKind, listKind, readCatalogOn } from "../catalog/catalog.ts";
import { secretSetting } from "../catalog/secret.ts";
import { quoteName } from "../catalog/sql.ts";
import { readDefaultPrivileges } from "../plan/default-privileges.ts";
import { grantStatements, readPrivileges } from "../plan/grants.ts";
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
  /** Those of them that are superusers there, which no migration makes of a role. */
  readonly superusers: readonly string[];
  /** The roles of the platform that policies and owners name: a new server needs them. */
  readonly platformRoles: readonly string[];
  /** What roles of the platform may do with its objects, as statements: it is the platform's to give. */
  readonly platformGrants: readonly string[];
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

/** What a server is that throwaway databases are made on. */
export interface ScratchFacts {
  /** The major version of its PostgreSQL. */
  readonly major: number;
  /** The extensions that it can have. */
  readonly extensions: ReadonlySet<string>;
}

/** Asks a server what it is. */
export async function readScratchFacts(serverUrl: string): Promise<ScratchFacts> {
  return withClient(serverUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select name from pg_catalog.pg_available_extensions",
    );
    return {
      major: await readMajor(client),
      extensions: new Set(rows.map(({ name }) => name)),
    };
  });
}

async function readMajor(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  return rows[0]?.major ?? 0;
}

/**
 * Makes sure that a database can be read, and tried on a scratch server.
 *
 * @throws RowhouseError version_unsupported
 */
export function assertVersions(source: number, scratch: number): void {
  if (source < oldest) {
    throw new RowhouseError(
      "version_unsupported",
      `The database is on PostgreSQL ${source}, and the oldest that can be read is ${oldest}.`,
      "Upgrade it first, or restore a dump of its schema into a newer server and read that one.",
    );
  }
  if (source <= scratch) return;
  throw new RowhouseError(
    "version_unsupported",
    `The database is on PostgreSQL ${source}, and the throwaway server that its project would be tried on is ${scratch}: that one cannot have all of it.`,
    `Let SCRATCH_URL name a server of PostgreSQL ${source}, or leave it out for the newest that Rowhouse has.`,
  );
}

const oldest = 15;

/**
 * A pooler may hand each transaction to another connection, without what was asked of the first.
 *
 * @throws RowhouseError database_refused
 */
async function assertDirect(client: pg.ClientBase, url: string): Promise<void> {
  const { rows } = await client.query<{ setting: string }>(
    "select current_setting('default_transaction_read_only') as setting",
  );
  if (rows[0]?.setting === "on") return;
  throw new RowhouseError(
    "database_refused",
    `${withoutPassword(url)} does not keep connections read-only: it probably leads to a pooler.`,
    "Give the URL of the database itself: on Supabase the direct connection, on Neon the host without -pooler.",
  );
}

/**
 * Finds out what of a database is the platform's, and what PostgREST serves.
 *
 * @param url From `toReadOnly`.
 * @throws RowhouseError version_unsupported, platform_unnamed, api_unknown, database_unreachable,
 *   database_refused, also for a pooler
 */
export async function readSetting(
  url: string,
  options: SourceOptions,
  { major, extensions: available }: ScratchFacts,
): Promise<Setting> {
  return withClient(url, async (client) => {
    await assertDirect(client, url);
    assertVersions(await readMajor(client), major);
    const known = await findPlatform(client, options.platform);
    const present = await readPresent(client, known ?? none);
    const missing = (await listExtensions(client)).filter((name) => !available.has(name));
    const extensions = [...new Set([...present.extensions, ...missing])];
    const left = missing.filter((name) => !present.extensions.includes(name));
    const { served, notes } = await readServed(client, options, known);
    return {
      served,
      platform: { ...present, extensions },
      notes: [
        ...notes,
        ...left.map(describeMissing),
        ...(await readHiddenSettings(client, present)),
        ...(await readHandmade(client)),
        ...(await readSearchPath(client)),
      ],
    };
  });
}

/** dbmate keeps its table in the first schema of the search path, unless one of its settings names another. */
async function readSearchPath(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ first: string | null }>("select current_schema() as first");
  return describeSearchPath(rows[0]?.first ?? null);
}

/**
 * What a search path means for dbmate.
 *
 * @param first The first schema of it that is there.
 */
export function describeSearchPath(first: string | null): string[] {
  const fact =
    first === null
      ? "A search path is set here that names no schema"
      : `A search path is set here that begins with ${first}`;
  return first === "public"
    ? []
    : [
        `${fact}: run dbmate itself with DBMATE_MIGRATIONS_TABLE=public.schema_migrations, where \`rowhouse\` keeps what is applied.`,
      ];
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
    const { logins: all } = await readApiNames(client, openProject());
    const known = all.filter((name) => name === served.login);
    const logins = known.length > 0 ? known : all;
    const login = logins.length === 1 ? logins : [];
    const own = await listOwnRoles(client, catalog, setting, login);
    const roles = own.map(({ name }) => name);
    const superusers = listSuperusers(own, catalog, platform);
    const snapshot = await readSnapshot(url, { platform, roles, anonymous: served.anonymous });
    return {
      ...setting,
      notes: [
        ...setting.notes,
        ...superusers.map(describeSuperuser),
        ...describeLogins(logins, served.anonymous),
        ...describeRowSecurity(snapshot.catalog),
      ],
      snapshot,
      roles,
      superusers: superusers.map(({ name }) => name),
      platformRoles: platform.roles.filter((name) =>
        listNamed(catalog, ["policy", "owner"]).includes(quoteName(name)),
      ),
      platformGrants: await readPlatformGrants(url, platform),
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
  if (given !== undefined) return platforms[given] && (await assertOn(client, platforms[given]));
  const key = await recognise(client);
  if (key === undefined) return undefined;
  throw new RowhouseError(
    "platform_unnamed",
    `This looks like a database on ${platforms[key]?.name}: much in it is the platform's, and not yours.`,
    `Add --platform ${key}; or --platform none, to copy all of it.`,
  );
}

/** @throws RowhouseError platform_unnamed when it lacks what each database there has. */
async function assertOn(client: pg.ClientBase, platform: KnownPlatform): Promise<KnownPlatform> {
  const { schemas, roles } = await readPresent(client, { ...platform.required, extensions: [] });
  const missing = [
    ...platform.required.schemas
      .filter((name) => !schemas.includes(name))
      .map((name) => `schema ${name}`),
    ...platform.required.roles
      .filter((name) => !roles.includes(name))
      .map((name) => `role ${name}`),
  ];
  if (missing.length === 0) return platform;
  throw new RowhouseError(
    "platform_unnamed",
    `This is no database on ${platform.name}: it has no ${missing.join(", no ")}.`,
    "Leave --platform out, or name the right one.",
  );
}

async function listExtensions(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select extname as name from pg_catalog.pg_extension order by extname",
  );
  return rows.map(({ name }) => name);
}

/** A role that is the database's own. */
interface OwnRole {
  readonly name: string;
  readonly isSuperuser: boolean;
}

/** The roles that entries of some kinds name, as SQL writes them. */
function listNamed(catalog: readonly CatalogEntry[], kinds: readonly string[]): string[] {
  return catalog
    .filter(({ kind }) => kinds.includes(kind))
    .flatMap((entry) => {
      if (isKind(entry, "policy")) return entry.facts.roles;
      if (isKind(entry, "owner")) return [entry.facts.owner];
      const isGrant = isKind(entry, "grant") || isKind(entry, "default privilege");
      return isGrant ? [entry.facts.role] : [];
    });
}

/**
 * The roles that the catalog names, those whose new objects get privileges, and those that PostgREST
 * uses. The first superuser is called postgres on every server that Rowhouse starts.
 */
async function listOwnRoles(
  client: pg.ClientBase,
  catalog: readonly CatalogEntry[],
  { served, platform }: Setting,
  login: readonly string[],
): Promise<OwnRole[]> {
  const named = listNamed(catalog, ["policy", "owner", "grant", "default privilege"]);
  const defaults = await readDefaultPrivileges(client, platform);
  const creators = defaults.flatMap(({ creator, changed }) => (changed && creator) || []);
  const { rows } = await client.query<OwnRole>(
    `select rolname as name, rolsuper as "isSuperuser"
    from pg_catalog.pg_roles
    where (oid::regrole::text = any ($1) or rolname = any ($2))
    and rolname !~ '^pg_'
    and not (rolsuper and rolname = 'postgres')
    and rolname <> all ($3)
    order by rolname`,
    [[...named, ...creators], [...login, served.anonymous ?? ""], platform.roles],
  );
  return rows;
}

interface Superuser {
  readonly name: string;
  /** Whether a request can have it. */
  readonly isOfRequests: boolean;
}

/** Of the database's own roles and of those of requests; postgres is one on every server. */
function listSuperusers(
  own: readonly OwnRole[],
  catalog: readonly CatalogEntry[],
  { roles: theirs }: Platform,
): Superuser[] {
  const ofRequests = listKind(catalog, "role")
    .filter(({ name, facts }) => facts.superuser && name !== "postgres" && !theirs.includes(name))
    .map(({ name }) => ({ name, isOfRequests: true }));
  const others = own
    .filter(({ isSuperuser, name }) => isSuperuser && !ofRequests.some((one) => one.name === name))
    .map(({ name }) => ({ name, isOfRequests: false }));
  return [...ofRequests, ...others];
}

function describeSuperuser({ name, isOfRequests }: Superuser): string {
  const role = quoteName(name);
  const start = `The role ${name} is a superuser there${isOfRequests ? ", and a request can have it" : ""}: the project makes it without that power, which no migration should give.`;
  return isOfRequests
    ? `${start} No policy holds it back. Take it from the role there, too, or \`rowhouse db adopt\` finds a difference: alter role ${role} nosuperuser.`
    : `${start} Where it needs it, on each server by hand: alter role ${role} superuser.`;
}

function describeLogins(logins: readonly string[], anonymous: string | undefined): string[] {
  if (logins.length === 0) return [describeMissingLogin(anonymous)];
  return logins.length < 2
    ? []
    : [
        `PostgREST may log in as any of ${logins.join(", ")}: none of them was written down for that alone. Declare the right one in sql/roles.`,
      ];
}

/** Without it `npm start` fails, and PostgREST anywhere else. */
function describeMissingLogin(anonymous: string | undefined): string {
  const member = anonymous === undefined ? "<a role of requests>" : quoteName(anonymous);
  return `There is no role that PostgREST logs in as, and \`npm start\` needs one. After \`db adopt\`, write sql/roles/authenticator.sql: create role authenticator login noinherit; grant ${member} to authenticator; (and each other role of requests). Then run \`npx rowhouse db migration login --allow-power authenticator\`.`;
}

/** What is granted to roles of the platform on the database's own objects. */
async function readPlatformGrants(url: string, platform: Platform): Promise<string[]> {
  if (platform.roles.length === 0) return [];
  const all = await readPrivileges(url, { ...platform, roles: [] });
  const held = all.held.filter(({ role }) => platform.roles.includes(role));
  return grantStatements({ ...all, held: [] }, { ...all, held });
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

const hiddenQuery = readFileSync(join(import.meta.dirname, "hidden.sql"), "utf8");

/** What looks like a secret is not taken over: only its name is written down. */
async function readHiddenSettings(client: pg.ClientBase, { schemas }: Platform): Promise<string[]> {
  const { rows } = await client.query<{ what: string; owner: string }>(hiddenQuery, [
    secretSetting,
    schemas,
  ]);
  return rows.map(
    ({ what, owner }) =>
      `The ${what} of ${owner} looks like a secret: its value was not taken over. Set it on each server by hand.`,
  );
}

/** What no file can declare, and no comparison sees: it holds a secret, or how another server is reached. */
async function readHandmade(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ object: string }>(
    `select format('user mapping of %s on server %I', case umuser when 0 then 'public' else quote_ident(usename) end, srvname) as object
    from pg_catalog.pg_user_mappings
    union all
    select format('subscription %I', subname)
    from pg_catalog.pg_subscription
    where subdbid = (select oid from pg_catalog.pg_database where datname = current_database())
    order by 1`,
  );
  return rows.map(
    ({ object }) =>
      `The ${object} was left out, since it holds a secret or a connection: make it on each server by hand. No comparison looks at it.`,
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
