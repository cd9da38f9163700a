import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { startCluster } from "../../src/testing/cluster.ts";
import { type Outcome, rowhouse } from "./cli.ts";
import type { Variables } from "./environment.ts";

const fixture = join(import.meta.dirname, "../fixtures/foreign");

/** Users of the project. */
export const alice = "a11ce000-0000-4000-8000-000000000000";
export const bob = "b0b00000-0000-4000-8000-000000000000";

/** A project that was not made by Rowhouse, with a database on a server of its own. */
export interface ForeignProject {
  /** Its folder: a copy. */
  readonly dir: string;
  /** The URL of its database, as superuser. */
  readonly url: string;
  readonly env: Variables;
  /** Runs a command in it. */
  readonly run: (...args: string[]) => Promise<Outcome>;
  readonly sql: (text: string) => Promise<Record<string, unknown>[]>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a server, since roles belong to one, and migrates the project's database there; its one
 * migration is what it declares.
 */
export async function startForeign(): Promise<ForeignProject> {
  const top = mkdtempSync(join(tmpdir(), "rowhouse-foreign-"));
  const dir = join(top, "project");
  cpSync(fixture, dir, { recursive: true });
  const migrations = join(dir, "db/migrations");
  mkdirSync(migrations, { recursive: true });
  writeFileSync(join(migrations, "20260101000000_baseline.sql"), baseline());
  const cluster = await startCluster({ shared_preload_libraries: "pg_stat_statements" });
  const url = inDatabase(cluster.url, "foreign_project");
  await withClient(cluster.url, async (client) => {
    await client.query("create database foreign_project");
    await client.query("create extension pg_stat_statements");
  });
  const env = {
    DATABASE_URL: url,
    SCRATCH_URL: cluster.url,
    ROWHOUSE_HOME: join(top, "home"),
    AUTHENTICATOR_PASSWORD: "a-password-for-tests",
    JWT_SECRET: "a-secret-for-tests-that-is-long-enough",
  };
  const run = (...args: string[]) => rowhouse(args, env, dir);
  const migrated = await run("migrate");
  if (migrated.code !== 0) throw new Error(migrated.stderr);
  return {
    dir,
    url,
    env,
    run,
    sql: (text) => withClient(url, async (client) => (await client.query(text)).rows),
    stop: async () => {
      await cluster.stop();
      rmSync(top, { recursive: true });
    },
  };
}

function baseline(): string {
  const files = ["sql/roles.sql", "sql/auth.sql", "sql/tables.sql"];
  const policies = readdirSync(join(fixture, "policies")).map((name) => `policies/${name}`);
  const up = [...files, ...policies].map((file) => readFileSync(join(fixture, file), "utf8"));
  return ["-- migrate:up", ...up, "notify pgrst, 'reload schema';", "-- migrate:down", ""].join(
    "\n",
  );
}
