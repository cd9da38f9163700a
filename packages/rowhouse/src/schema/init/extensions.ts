import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { withClient } from "../../stack/database.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { quoteName } from "../catalog/sql.ts";
import type { Snapshot } from "../plan/snapshot.ts";

interface Extension {
  readonly name: string;
  readonly schema: string;
}

const query = readFileSync(join(import.meta.dirname, "extension_members.sql"), "utf8");

/**
 * A database without the privileges on what its extensions bring and those of a new server do not:
 * they are of other versions.
 *
 * @returns Also lines about what was left out.
 */
export async function withoutGoneMembers(
  scratch: Scratch,
  reading: string,
  snapshot: Snapshot,
): Promise<{ readonly snapshot: Snapshot; readonly notes: readonly string[] }> {
  const { extensions, members } = await withClient(reading, async (client) => ({
    extensions: await listExtensions(client, snapshot.platform.extensions),
    members: await listMembers(client),
  }));
  const there = await tryExtensions(scratch, extensions);
  const gone = new Set(members.filter((name) => !there.has(name) && isOwn(snapshot, name)));
  if (gone.size === 0) return { snapshot, notes: [] };
  const { privileges } = snapshot;
  return {
    snapshot: {
      ...snapshot,
      privileges: {
        ...privileges,
        held: privileges.held.filter(({ type, name }) => !gone.has(`${type} ${name}`)),
        objects: new Map([...privileges.objects].filter(([name]) => !gone.has(name))),
      },
    },
    notes: [...gone].map(
      (name) =>
        `Who may use the ${name} was left out: the version of its extension that a new server has does not bring it.`,
    ),
  };
}

/** What a role of the database may do with it is planned, unless it is the platform's. */
function isOwn({ privileges }: Snapshot, name: string): boolean {
  return privileges.objects.has(name);
}

async function listExtensions(
  client: pg.ClientBase,
  left: readonly string[],
): Promise<Extension[]> {
  const { rows } = await client.query<Extension>(
    `select extname as name, nspname as schema
    from pg_catalog.pg_extension
    join pg_catalog.pg_namespace on pg_namespace.oid = extnamespace
    where extname <> all ($1)
    order by pg_extension.oid`,
    [left],
  );
  return rows;
}

async function listMembers(client: pg.ClientBase): Promise<string[]> {
  await client.query("set search_path = ''");
  const { rows } = await client.query<{ name: string }>(query);
  return rows.map(({ name }) => name);
}

/** What the same extensions bring on a scratch server; one that it cannot have so brings nothing. */
async function tryExtensions(
  scratch: Scratch,
  extensions: readonly Extension[],
): Promise<Set<string>> {
  const url = await scratch.create();
  const members = await withClient(url, async (client) => {
    for (const { name, schema } of extensions) {
      await client.query(`create schema if not exists ${quoteName(schema)}`).catch(() => {});
      await client
        .query(
          `create extension if not exists ${quoteName(name)} schema ${quoteName(schema)} cascade`,
        )
        .catch(() => {});
    }
    return listMembers(client);
  });
  await scratch.drop(url);
  return new Set(members);
}
