import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Platform } from "../../lib/project.ts";
import { type CatalogEntry, compareCatalogs, listKind } from "../catalog/catalog.ts";
import { quoteLiteral } from "../catalog/define.ts";
import type { GrantFacts } from "../catalog/facts.ts";
import { listSettings } from "../catalog/list-settings.ts";
import { secretSetting } from "../catalog/secret.ts";
import { getRoles } from "../plan/roles.ts";

/** A setting in this database; null is every role. */
interface Setting {
  readonly role: string | null;
  /** The role as SQL writes it. */
  readonly written: string;
  readonly name: string;
  readonly value: string;
}

const read = (file: string) => readFileSync(join(import.meta.dirname, file), "utf8");

/** The statements that no plan brings, and lines about what they leave out. */
interface Extras {
  readonly statements: readonly string[];
  readonly notes: readonly string[];
}

/**
 * The statements that make what no plan brings: rights on the database itself and settings in it, by
 * any name, options of roles, memberships and columns, how columns are stored, comments on columns of views, and
 * extended statistics.
 *
 * @param before What an empty database holds.
 * @param after What the database holds that is read.
 */
export async function readExtras(
  client: pg.ClientBase,
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  { schemas, roles: theirs }: Platform,
): Promise<Extras> {
  const { missing, surplus } = compareCatalogs(after, before);
  const { rows: settings } = await client.query<Setting>(read("settings.sql"), [
    secretSetting,
    listSettings,
  ]);
  // Roles belong to the server: a new one has those alone that the project makes.
  const own = new Set(getRoles(after));
  const isOwn = ({ role }: Setting) => role === null || own.has(role);
  const { rows: comments } = await client.query<{ sql: string }>(read("view_comments.sql"), [
    schemas,
  ]);
  const { rows: columns } = await client.query<{ sql: string }>(read("columns.sql"), [schemas]);
  const { rows: properties } = await client.query<{ sql: string }>(read("column_properties.sql"), [
    schemas,
  ]);
  const { rows: options } = await client.query<{ sql: string }>(read("role_options.sql"), [
    [...own],
    theirs,
  ]);
  const { rows: statistics } = await client.query<{ sql: string }>(read("statistics.sql"), [
    schemas,
  ]);
  const statements = [
    ...onDatabase(surplus).map((facts) =>
      inDatabase(`revoke ${facts.privilege} on`, `from ${facts.role}`),
    ),
    ...onDatabase(missing).map((facts) =>
      inDatabase(`grant ${facts.privilege} on`, `to ${facts.role}`),
    ),
    ...settings
      .filter(isOwn)
      .map(({ role, written, name, value }) =>
        role === null
          ? inDatabase("alter", `set ${name} to ${value}`)
          : inDatabase(`alter role ${written} in`, `set ${name} to ${value}`),
      ),
    ...options.map(({ sql }) => sql),
    ...columns.map(({ sql }) => sql),
    ...properties.map(({ sql }) => sql),
    ...comments.map(({ sql }) => sql),
    ...statistics.map(({ sql }) =>
      sql.replace(/^CREATE STATISTICS (.*) ON (.*) FROM /s, "create statistics $1\non $2\nfrom "),
    ),
  ];
  const notes = settings
    .filter((setting) => !isOwn(setting))
    .map(
      ({ written, name }) =>
        `The setting ${name} of role ${written} in this database was left out: the role is none of the project's.`,
    );
  return { statements, notes };
}

function onDatabase(entries: readonly CatalogEntry[]): GrantFacts[] {
  return listKind(entries, "grant")
    .map(({ facts }) => facts)
    .filter(({ on }) => on === "database");
}

/** A statement about the database that it runs in, whatever its name is. */
function inDatabase(start: string, end: string): string {
  const format = quoteLiteral(`${start} database %I ${end.replaceAll("%", "%%")}`);
  return `do $rowhouse$
begin
  execute format(${format}, current_database());
end
$rowhouse$`;
}
