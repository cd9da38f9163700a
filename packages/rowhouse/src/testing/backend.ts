import pg from "pg";
import type { ApiOptions } from "../stack/postgrest.ts";
import { type Api, startApi } from "./api.ts";
import { cloneDatabase } from "./database.ts";

/** Any row, as JSON. */
export type TestRow = Record<string, unknown>;

/** PostgREST on a database of a test file's own, and a way to look behind it. */
export interface Backend extends Api {
  /** The database, as superuser. */
  readonly databaseUrl: string;
  /** Runs SQL as superuser, past row-level security, and returns the rows. */
  readonly sql: (text: string, values?: unknown[]) => Promise<TestRow[]>;
}

/**
 * Clones the migrated database and serves it with PostgREST; stop it in afterAll.
 *
 * @param prepare SQL for the database, before the API learns what is in it.
 */
export async function startBackend(
  options: Partial<ApiOptions> = {},
  prepare = "",
): Promise<Backend> {
  const databaseUrl = await cloneDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(prepare);
  const api = await startApi(databaseUrl, options);
  return {
    ...api,
    databaseUrl,
    sql: async (text, values) => (await client.query<TestRow>(text, values)).rows,
    stop: async () => {
      await client.end();
      await api.stop();
    },
  };
}
