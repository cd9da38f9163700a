import { join } from "node:path";
import { onTestFinished } from "vitest";
import { compile, writeFiles } from "./compile.ts";
import {
  claimsFor,
  migratedClone,
  newHome,
  newId,
  rowhouse,
  sign,
  startApi,
  withClient,
} from "./support.ts";

/** An app on a database of its own, with the types that `rowhouse types` has written. */
export interface GeneratedApp {
  /** What tsc prints. */
  readonly errors: string;
  /** Runs the app as a new user. */
  readonly run: () => Promise<unknown>;
}

/**
 * Changes a database, writes its types beside an app, and compiles both.
 *
 * @param sql The change.
 * @param body The app: what it does with `db`, and returns.
 */
export async function generateApp(sql: string, body: string): Promise<GeneratedApp> {
  const databaseUrl = await migratedClone();
  await withClient(databaseUrl, (client) => client.query(sql));
  const dir = writeFiles({ "app.ts": buildApp(body) });
  const output = join(dir, "database.types.ts");
  const env = { DATABASE_URL: databaseUrl, ROWHOUSE_HOME: newHome() };
  const { code, stderr } = await rowhouse(["types", "--output", output], env);
  if (code !== 0) throw new Error(stderr);
  const api = await startApi(databaseUrl);
  onTestFinished(() => api.stop());
  const app = await import(join(dir, "app.ts"));
  return { errors: compile(dir), run: () => app.run(api.url, sign(claimsFor(newId()))) };
}

function buildApp(body: string): string {
  return `
    import { createClient } from "@rowhouse/client";
    import { type Database, tables } from "./database.types.ts";

    export async function run(url: string, token: string): Promise<unknown> {
      const db = createClient<Database, typeof tables>({ url, token, retry: false }, tables);
      ${body}
    }
  `;
}
