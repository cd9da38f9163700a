import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorMessage } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { quoteName } from "../catalog/sql.ts";
import type { Snapshot } from "../plan/snapshot.ts";

interface Extension {
  readonly name: string;
  readonly schema: string;
}

interface Member {
  /** As ../plan/objects.sql names it. */
  readonly name: string;
  readonly extension: string;
}

const query = readFileSync(join(import.meta.dirname, "extension_members.sql"), "utf8");

/**
 * A database without the privileges on what its extensions bring and those of a new server do not:
 * they are of other versions. An extension that a new server cannot have keeps its own: nothing is
 * known of what it would bring.
 *
 * @returns Also lines about what was left out, or could not be tried.
 */
export async function withoutMissingMembers(
  scratch: Scratch,
  reading: string,
  snapshot: Snapshot,
): Promise<{ readonly snapshot: Snapshot; readonly notes: readonly string[] }> {
  const { extensions, members } = await withClient(reading, async (client) => ({
    extensions: await listExtensions(client, snapshot.platform.extensions),
    members: await listMembers(client),
  }));
  const { brought, errors } = await tryExtensions(scratch, extensions);
  const missing = new Set(
    members
      .filter(({ extension }) => !errors.has(extension))
      .map(({ name }) => name)
      .filter((name) => !brought.has(name) && isOwn(snapshot, name)),
  );
  const notes = [...[...errors].map(describeError), ...[...missing].map(describeMissing)];
  if (missing.size === 0) return { snapshot, notes };
  const { privileges } = snapshot;
  return {
    snapshot: {
      ...snapshot,
      privileges: {
        ...privileges,
        held: privileges.held.filter(({ type, name }) => !missing.has(`${type} ${name}`)),
        objects: new Map([...privileges.objects].filter(([name]) => !missing.has(name))),
      },
    },
    notes,
  };
}

function describeError([extension, message]: readonly [string, string]): string {
  return `The extension ${extension} could not be made on a scratch server, and who may use what it brings was not compared: ${message}.`;
}

function describeMissing(name: string): string {
  return `Who may use the ${name} was left out: the version of its extension that a new server has does not bring it.`;
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

async function listMembers(client: pg.ClientBase): Promise<Member[]> {
  await client.query("set search_path = ''");
  return (await client.query<Member>(query)).rows;
}

interface Tried {
  readonly brought: ReadonlySet<string>;
  /** Why an extension could not be made, by its name. */
  readonly errors: ReadonlyMap<string, string>;
}

/** What the same extensions bring on a scratch server. */
async function tryExtensions(scratch: Scratch, extensions: readonly Extension[]): Promise<Tried> {
  const url = await scratch.create();
  try {
    return await withClient(url, async (client) => {
      const errors = new Map<string, string>();
      for (const extension of extensions) {
        const error = await tryExtension(client, extension);
        if (error !== undefined) errors.set(extension.name, error);
      }
      const brought = new Set((await listMembers(client)).map(({ name }) => name));
      return { brought, errors };
    });
  } finally {
    await scratch.drop(url);
  }
}

/** @returns Why it could not be made. */
async function tryExtension(
  client: pg.ClientBase,
  { name, schema }: Extension,
): Promise<string | undefined> {
  const place = quoteName(schema);
  try {
    // PostgreSQL's own are there, and can be named in no `create schema`.
    if (!schema.startsWith("pg_")) await client.query(`create schema if not exists ${place}`);
    await client.query(`create extension if not exists ${quoteName(name)} schema ${place} cascade`);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
