import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { Progress } from "../../lib/progress.ts";
import { readCatalogOn, withApiLogin, withoutOwners } from "../../schema/catalog/catalog.ts";
import { withClient, withoutPassword } from "../../stack/database.ts";
import { prepareSession, readFacts } from "../facts.ts";
import { measure, sync } from "../files.ts";
import { hashCatalog, type Manifest } from "../manifest.ts";
import type { Draft } from "../store.ts";
import { findTool, runTool } from "./tools.ts";

/** The files of a dump, in the order in which they are restored. */
export const dumpFiles = {
  roles: "roles.sql",
  rows: "database.dump",
  database: "database.sql",
} as const;

/**
 * Dumps a database with pg_dump, and its roles beside it. What the manifest counts and what is
 * dumped is one and the same snapshot.
 *
 * @throws RowhouseError tool_missing, backup_failed, rows_hidden, database_unreachable
 */
export async function takeDump(
  url: string,
  draft: Draft,
  { report, signal }: Progress,
): Promise<Manifest> {
  const startedAt = new Date().toISOString();
  return withClient(url, async (client) => {
    await prepareSession(client);
    const { version, major } = await readVersion(client);
    const pgDump = await findTool("pg_dump", major);
    await client.query("begin isolation level repeatable read read only");
    const { rows } = await client.query<{ snapshot: string; at: string; database: string }>(
      "select pg_export_snapshot() as snapshot, to_json(clock_timestamp() at time zone 'UTC') #>> '{}' || 'Z' as at, current_database() as database",
    );
    const { snapshot = "", at = "", database = "" } = rows[0] ?? {};
    for (const [file, queries] of statements) {
      await writeStatements(client, queries, join(draft.dir, file));
    }
    const facts = await readFacts(client, (table) => {
      signal.throwIfAborted();
      report(`Counting ${table} ...`);
    });
    report("Dumping ...");
    const file = join(draft.dir, dumpFiles.rows);
    const args = ["--format=custom", "--no-password", `--snapshot=${snapshot}`, `--file=${file}`];
    await runTool(pgDump, args, url, "backup_failed", signal);
    chmodSync(file, 0o600);
    await sync(file);
    // What is restored belongs to the role that restores it.
    const catalog = withoutOwners(await readCatalogOn(client));
    writeFileSync(join(draft.dir, "catalog.json"), JSON.stringify(catalog), { mode: 0o600 });
    const names = [...Object.values(dumpFiles), "catalog.json"];
    return {
      kind: "dump",
      startedAt,
      finishedAt: at,
      postgresVersion: version,
      database,
      source: withoutPassword(url),
      files: await Promise.all(names.map((name) => measure(draft.dir, name))),
      folders: [],
      ...facts,
      catalog: hashCatalog(catalog),
    };
  });
}

async function readVersion(client: pg.Client): Promise<{ version: string; major: number }> {
  const { rows } = await client.query<{ server_version: string }>("show server_version");
  const version = rows[0]?.server_version ?? "";
  return { version, major: Number.parseInt(version, 10) };
}

/** The queries that produce the statements of a file. */
const statements = [
  [dumpFiles.roles, ["role_statements"]],
  [dumpFiles.database, ["database_statements", "default_privilege_statements"]],
] as const;

async function writeStatements(
  client: pg.Client,
  queries: readonly string[],
  file: string,
): Promise<void> {
  const lines: string[] = [];
  for (const name of queries) {
    const query = readFileSync(join(import.meta.dirname, "../facts", `${name}.sql`), "utf8");
    const { rows } = await client.query<{ sql: string }>(withApiLogin(query));
    lines.push(...rows.map(({ sql }) => `${sql}\n`));
  }
  writeFileSync(file, lines.join(""), { mode: 0o600, flush: true });
}
