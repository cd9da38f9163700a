import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Platform } from "../../lib/project.ts";
import { type CatalogEntry, compareCatalogs, listKind } from "../catalog/catalog.ts";
import { quoteLiteral } from "../catalog/define.ts";
import type { GrantFacts } from "../catalog/facts.ts";

/** A setting in this database; null is every role. */
interface Setting {
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

const read = (file: string) => readFileSync(join(import.meta.dirname, file), "utf8");

/**
 * The statements that make what no plan brings: rights on the database itself and settings in it, by
 * any name, comments on columns of views, and extended statistics.
 *
 * @param before What an empty database holds.
 * @param after What the database holds that is read.
 */
export async function readExtras(
  client: pg.ClientBase,
  before: readonly CatalogEntry[],
  after: readonly CatalogEntry[],
  { schemas }: Platform,
): Promise<string[]> {
  const { missing, surplus } = compareCatalogs(after, before);
  const { rows: settings } = await client.query<Setting>(read("settings.sql"));
  const { rows: comments } = await client.query<{ sql: string }>(read("view_comments.sql"), [
    schemas,
  ]);
  const { rows: statistics } = await client.query<{ sql: string }>(read("statistics.sql"), [
    schemas,
  ]);
  return [
    ...onDatabase(surplus).map((facts) =>
      inDatabase(`revoke ${facts.privilege} on`, `from ${facts.role}`),
    ),
    ...onDatabase(missing).map((facts) =>
      inDatabase(`grant ${facts.privilege} on`, `to ${facts.role}`),
    ),
    ...settings.map(({ role, name, value }) =>
      role === null
        ? inDatabase("alter", `set ${name} to ${value}`)
        : inDatabase(`alter role ${role} in`, `set ${name} to ${value}`),
    ),
    ...comments.map(({ sql }) => sql),
    ...statistics.map(({ sql }) =>
      sql.replace(/^CREATE STATISTICS (.*) ON (.*) FROM /s, "create statistics $1\non $2\nfrom "),
    ),
  ];
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
