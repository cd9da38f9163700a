import type pg from "pg";
import type { Platform } from "../../lib/project.ts";
import { withClient } from "../../stack/database.ts";
import { type CatalogEntry, isKind, readCatalogOn, withFacts } from "../catalog/catalog.ts";
import { quoteLiteral } from "../catalog/define.ts";
import { parseStatement, quoteName, tokenize } from "../catalog/sql.ts";
import { findMembership } from "./statement.ts";

/** The names of all roles of a server, without those that came with it. */
export async function listRoles(url: string): Promise<string[]> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string }>(
      "select rolname as name from pg_catalog.pg_roles where oid >= 16384",
    ),
  );
  return rows.map(({ name }) => name);
}

/**
 * Reads a catalog with some roles in it that the API cannot become: by themselves nothing in a
 * database shows that they belong to it.
 */
export async function readCatalogWithRoles(
  client: pg.ClientBase,
  roles: readonly string[],
  platform?: Platform,
): Promise<CatalogEntry[]> {
  await client.query("select set_config('rowhouse.roles', $1, false)", [JSON.stringify(roles)]);
  return readCatalogOn(client, platform);
}

/** The roles in one catalog that are not in another. */
export function findNewRoles(
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
): string[] {
  const known = new Set(getRoles(before));
  return getRoles(after).filter((name) => !known.has(name));
}

/** The names of the roles in a catalog. */
export function getRoles(catalog: readonly CatalogEntry[]): string[] {
  return catalog.filter(({ kind }) => kind === "role").map(({ name }) => name);
}

/** A catalog as if some roles were not there: neither they, nor who is a member of them. */
export function withoutRoles(
  catalog: readonly CatalogEntry[],
  roles: readonly string[],
): CatalogEntry[] {
  return catalog
    .filter(({ kind, name }) => kind !== "role" || !roles.includes(name))
    .map((entry) => {
      if (!isKind(entry, "role")) return entry;
      const stays = (role: string) => !roles.includes(unquote(role));
      return withFacts(entry, { memberOf: entry.facts.memberOf.filter(stays) });
    });
}

/** The name that SQL writes in quotes, or without where it needs none. */
function unquote(name: string): string {
  return name.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"');
}

/** The attributes of a role that sets none. */
const defaults = new Set([
  "inherit",
  "nobypassrls",
  "nocreatedb",
  "nocreaterole",
  "noreplication",
  "nosuperuser",
  "with",
]);

/**
 * A role belongs to the server, where another database may have made it: it is made only when it
 * is missing. Another statement stays as it is.
 *
 * @param sql A statement in the project's style.
 */
export function createIfMissing(sql: string): string {
  const role = findCreatedRole(sql);
  if (role === undefined) return sql;
  const code = tokenize(sql).filter(({ text }) => text.trim() !== "");
  const options = code.slice(3).filter(({ text, kind }) => kind !== "code" || !defaults.has(text));
  const create = ["create role", quoteName(role), ...options.map(({ text }) => text)].join(" ");
  // A name can hold what ends the block.
  const tag = create.includes("$$") ? "$role$" : "$$";
  return `do ${tag}
begin
  if not exists (select from pg_catalog.pg_roles where rolname = ${quoteLiteral(role)}) then
    ${create};
  end if;
end
${tag}`;
}

function findCreatedRole(sql: string): string | undefined {
  const tree = parseStatement(sql);
  return tree !== undefined && "CreateRoleStmt" in tree ? tree.CreateRoleStmt.role : undefined;
}

/**
 * The way down without what takes from roles that the way up makes: they stay, with what they may
 * become, since another database on the server may be served by them (docs/adr/0003).
 */
export function keepRoles(statements: readonly string[], made: readonly string[]): string[] {
  const names = new Set(made);
  return statements.filter((sql) => {
    const { granted = true, roles = [], members = [] } = findMembership(parseStatement(sql)) ?? {};
    return granted || ![...roles, ...members].some((name) => names.has(name));
  });
}
