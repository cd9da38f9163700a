import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import { withApiLogin } from "../schema/catalog/catalog.ts";
import type { Facts, Manifest } from "./manifest.ts";

const queries = join(import.meta.dirname, "facts");

/** Readies a connection for counting. */
export async function prepareSession(client: pg.ClientBase): Promise<void> {
  await client.query(query("steady"));
}

/** The tables that hold rows, each with its schema, quoted. */
export async function listTables(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(query("tables"));
  return rows.map(({ name }) => name);
}

/** Where each sequence stands; null for one that was never used. */
export async function readSequences(client: pg.ClientBase): Promise<Manifest["sequences"]> {
  return (await client.query<Manifest["sequences"][number]>(query("sequences"))).rows;
}

/**
 * Counts and fingerprints what a database holds, on a connection that `steadySession` readied.
 *
 * @throws RowhouseError rows_hidden when row-level security hides rows from the role.
 */
export async function readFacts(
  client: pg.ClientBase,
  onTable: (name: string) => void = () => {},
): Promise<Facts> {
  const tables: Manifest["tables"] = [];
  for (const name of await listTables(client)) {
    onTable(name);
    tables.push({ name, ...(await countRows(client, name)) });
  }
  const settings = await client.query<Facts["settings"][number]>(withApiLogin(query("settings")));
  return { tables, sequences: await readSequences(client), settings: settings.rows };
}

/** The sum of the rows' hashes does not depend on their order, and counts equal rows twice. */
async function countRows(
  client: pg.ClientBase,
  table: string,
): Promise<{ rows: string; hash: string }> {
  try {
    const { rows } = await client.query<{ rows: string; hash: string }>(
      `select count(*)::text as rows, coalesce(sum(hashtextextended(r::text collate "C", 0)), 0)::text as hash from only ${table} as r`,
    );
    return rows[0] ?? { rows: "0", hash: "0" };
  } catch (error) {
    if (!String(error).includes("row-level security")) throw error;
    throw new RowhouseError(
      "rows_hidden",
      `The role in the database's URL does not see every row of ${table}: a backup would lack them.`,
      "Use a role with BYPASSRLS that may read every table (Neon's owner has it), or a superuser.",
      { cause: error },
    );
  }
}

function query(name: string): string {
  return readFileSync(join(queries, `${name}.sql`), "utf8");
}
