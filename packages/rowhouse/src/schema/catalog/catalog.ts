import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { openProject, type Platform } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import { define, quoteLiteral } from "./define.ts";
import type { FactKind, FactsByKind } from "./facts.ts";
import { secretSetting } from "./secret.ts";
import { asNewerServersWrite } from "./view-text.ts";

/** One thing that a database holds, in words that two databases can be compared by. */
export interface CatalogEntry {
  /** "table", "column", "policy", "grant" ... */
  readonly kind: string;
  readonly name: string;
  /** In words, which are compared and shown, and never read: that is what `facts` are for. */
  readonly definition: string;
  /** Undefined for kinds that are only compared, and in the catalog of an older backup. */
  readonly facts?: FactsByKind[FactKind];
}

/** One thing of a kind that is read as data. */
export interface KnownEntry<K extends FactKind> extends CatalogEntry {
  readonly kind: K;
  readonly facts: FactsByKind[K];
}

/** Whether an entry is of a kind that is read as data. */
export function isKind<K extends FactKind>(entry: CatalogEntry, kind: K): entry is KnownEntry<K> {
  return entry.kind === kind && entry.facts !== undefined;
}

/** The entries of one kind, as data. */
export function listKind<K extends FactKind>(
  entries: readonly CatalogEntry[],
  kind: K,
): KnownEntry<K>[] {
  return entries.filter((entry) => isKind(entry, kind));
}

/** A catalog as if all belonged to one role. */
export function withoutOwners(entries: readonly CatalogEntry[]): CatalogEntry[] {
  return entries.filter(({ kind }) => kind !== "owner");
}

/** An entry as it is after some of its facts have changed. */
export function withFacts<K extends FactKind>(
  entry: KnownEntry<K>,
  changed: Partial<FactsByKind[K]>,
): KnownEntry<K> {
  const facts = { ...entry.facts, ...changed };
  return { ...entry, facts, definition: define(entry.kind, facts) };
}

const apiLoginQuery = readFileSync(join(import.meta.dirname, "api_login.sql"), "utf8");

/** A query whose WITH RECURSIVE, if it has one, may ask `api_login` for the oids of the roles that PostgREST can log in as. */
export function withApiLogin(query: string): string {
  return query.replace(
    /^with recursive /m,
    () => `with recursive api_login (oid) as (${apiLoginQuery}),\n`,
  );
}

const queriesDir = join(import.meta.dirname, "queries");

/** The first OID that is not of an object that came with the server. */
const firstOid = 16384;

/**
 * Everything that was made in a database: objects, their comments, and what roles other than their
 * owner may do with them. Of owners only those count that differ from the role that owns most.
 * Left out are what extensions bring along, what is the platform's, and dbmate's own table.
 */
export async function readCatalog(url: string, platform?: Platform): Promise<CatalogEntry[]> {
  return withClient(url, (client) => readCatalogOn(client, platform));
}

/** The same on a connection, which is left with an empty search path. */
export async function readCatalogOn(
  client: pg.ClientBase,
  platform = openProject().platform,
): Promise<CatalogEntry[]> {
  // With nothing on the search path, PostgreSQL writes every name with its schema.
  await client.query("set search_path = ''");
  const others = await readPlatform(client, platform);
  const entries: CatalogEntry[] = [];
  for (const file of readdirSync(queriesDir).sort()) {
    const query = readFileSync(join(queriesDir, file), "utf8");
    const { rows } = await client.query<Row>(onlyOwn(query), [firstOid, others]);
    entries.push(...rows.map(toEntry));
  }
  return (await isOlderServer(client)) ? entries.map(withNewerText) : entries;
}

/** Whether it is one that writes views otherwise: see view-text.ts. */
export async function isOlderServer(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ isOlder: boolean }>(
    `select current_setting('server_version_num')::int < 160000 as "isOlder"`,
  );
  return rows[0]?.isOlder === true;
}

function withNewerText(entry: CatalogEntry): CatalogEntry {
  if (!isKind(entry, "table") || !entry.facts.relation.endsWith("view")) return entry;
  return withFacts(entry, { detail: asNewerServersWrite(entry.facts.detail ?? "") });
}

/** What a query reads: a definition, or the facts that one is made of. */
interface Row {
  readonly kind: string;
  readonly name: string;
  readonly definition: string | null;
  readonly facts: FactsByKind[FactKind] | null;
}

function toEntry({ kind, name: identity, definition, facts }: Row): CatalogEntry {
  // From PostgreSQL 17 on json is a word of the language, and has no schema in identities.
  const name = identity.replace(/\bpg_catalog\.json\b/g, "json");
  if (facts === null) return { kind, name, definition: definition ?? "" };
  // The queries that read facts are those of these kinds.
  return { kind, name, definition: define(kind as FactKind, facts), facts };
}

const platformQuery = readFileSync(join(import.meta.dirname, "platform.sql"), "utf8");

/** The oids of what is the platform's, once for all queries. */
async function readPlatform(client: pg.ClientBase, platform: Platform): Promise<string[]> {
  if (Object.values(platform).every((names) => names.length === 0)) return [];
  const { schemas, roles, extensions } = platform;
  const { rows } = await client.query<{ oid: string }>(platformQuery, [schemas, roles, extensions]);
  return rows.map(({ oid }) => oid);
}

/** What was made here, and belongs neither to an extension nor to the platform. */
function onlyOwn(query: string): string {
  return `
    with platform (oid) as materialized (select unnest($2::oid[])),
    api_login (oid) as (${apiLoginQuery}),
    secret (pattern) as (values (${quoteLiteral(secretSetting)}))
    select
      kind,
      name,
      to_jsonb(object) ->> 'definition' as definition,
      to_jsonb(object) -> 'facts' as facts
    from (${query}) as object
    where oid >= $1
    and name !~ 'public\\.schema_migrations(_pkey)?(?![\\w$])'
    and not exists (select from pg_catalog.pg_depend as member where member.objid = object.oid and member.deptype = 'e')
    and not exists (select from platform where platform.oid = object.oid)
    order by kind, name, definition, facts
  `;
}

/** How two catalogs differ. */
export interface CatalogDifference {
  readonly missing: readonly CatalogEntry[];
  readonly surplus: readonly CatalogEntry[];
}

/** What `actual` lacks of `wanted`, and what it has beyond. A changed entry stands in both. */
export function compareCatalogs(
  wanted: readonly CatalogEntry[],
  actual: readonly CatalogEntry[],
): CatalogDifference {
  return { missing: without(wanted, actual), surplus: without(actual, wanted) };
}

function without(
  entries: readonly CatalogEntry[],
  others: readonly CatalogEntry[],
): CatalogEntry[] {
  const known = new Set(others.map(getKey));
  return entries.filter((entry) => !known.has(getKey(entry)));
}

function getKey({ kind, name, definition }: CatalogEntry): string {
  return JSON.stringify([kind, name, definition]);
}

/** Whether two catalogs are the same. */
export function areEqual(one: readonly CatalogEntry[], other: readonly CatalogEntry[]): boolean {
  const { missing, surplus } = compareCatalogs(one, other);
  return missing.length === 0 && surplus.length === 0;
}
