import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ClientOptions, createClient, type TableInfos } from "../src/index.ts";
import {
  type Backend,
  claimsFor,
  type FaultProxy,
  rowhouse,
  sign,
  signIn,
  startBackend,
  startProxy,
} from "./support.ts";

/** An API with tables of a test's own, as `rowhouse types` describes them. */
export interface OwnTables {
  readonly api: Backend;
  readonly tables: TableInfos;
  /** Signs a new user in, behind a proxy of their own. The types of rows are not checked. */
  readonly start: (options?: Partial<ClientOptions>) => Promise<OwnSession>;
}

/** A user of such tables. */
export interface OwnSession {
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tables are known at run time alone
  readonly db: any;
  readonly proxy: FaultProxy;
}

/**
 * Starts an API with these tables, and writes their description; it ends with the caller's `stop`.
 *
 * @param sql Makes the tables, with grants and policies.
 */
export async function startOwnTables(
  sql: string,
  options: { readonly maxRows?: number } = {},
): Promise<OwnTables> {
  const api = await startBackend(options, sql);
  const tables = await describeTables(api.databaseUrl);
  return { api, tables, start: (more = {}) => startOwnSession(api, tables, more) };
}

/** The `tables` that `rowhouse types` writes. */
async function describeTables(databaseUrl: string): Promise<TableInfos> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-types-"));
  try {
    const output = join(dir, "database.types.ts");
    const env = { DATABASE_URL: databaseUrl, ROWHOUSE_HOME: join(dir, "home") };
    const { code, stderr } = await rowhouse(["types", "--output", output], env);
    if (code !== 0) throw new Error(stderr);
    return ((await import(output)) as { tables: TableInfos }).tables;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function startOwnSession(
  api: Backend,
  tables: TableInfos,
  options: Partial<ClientOptions>,
): Promise<OwnSession> {
  const [proxy, { id }] = await Promise.all([startProxy(api.url), signIn(api)]);
  onTestFinished(() => proxy.stop());
  const retry = { baseMs: 1, minMs: 1, maxMs: 5 };
  const token = sign(claimsFor(id));
  const db = createClient<unknown, TableInfos>(
    { url: proxy.url, token, retry, ...options },
    tables,
  );
  return { id, db, proxy };
}
