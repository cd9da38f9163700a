import { readdirSync } from "node:fs";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import { note } from "../lib/output.ts";
import { findPostgres } from "./binaries.ts";
import { inDatabase, withClient } from "./database.ts";
import { type Home, postgresPassword } from "./home.ts";
import { findOrphan, freeLockFile, type LeftoverPolicy, settleLeftovers } from "./leftovers.ts";
import { acquireLock, runningState } from "./lock.ts";
import { loadPlatform } from "./platform.ts";
import { assertFree, freePort } from "./ports.ts";
import {
  type Cluster,
  embeddedUrl,
  launchPostgres,
  lockFiles,
  openCluster,
  postgresReady,
} from "./postgres.ts";
import { createProcessGroup, type ProcessGroup } from "./process-group.ts";
import type { Settings } from "./settings.ts";
import { chooseIdentity } from "./unprivileged.ts";
import { archiveSettings } from "./wal-archive.ts";

/** The database of a home, on the embedded server. */
const databaseName = "rowhouse";

/** The embedded server of a home, which runs. */
interface Embedded {
  readonly cluster: Cluster;
  readonly port: number;
  /** The URL of the home's database, as superuser. */
  readonly url: string;
}

/** Starts the embedded server of a home, and creates in it what is missing. */
export async function startEmbedded(
  settings: Settings,
  home: Home,
  group: ProcessGroup,
  leftovers: LeftoverPolicy,
): Promise<Embedded> {
  if (settings.dbPort) await assertFree(settings.dbPort, "DB_PORT");
  const cluster = await openCluster(home.dir, postgresPassword(home), home.postgresLog);
  await settleLeftovers(findOrphan(cluster.dataDir), leftovers);
  for (const file of lockFiles(cluster)) freeLockFile(file);
  const port = settings.dbPort ?? (await freePort());
  await group.add({
    name: "PostgreSQL",
    program: "postgres",
    launch: () =>
      launchPostgres(cluster, port, {
        ...slowStatementSettings(settings),
        ...archiveSettings(cluster.identity.place),
      }),
    ready: (server) => postgresReady(cluster, port, server),
    logFile: cluster.logFile,
    failure: "postgres_failed",
  });
  await ensureDatabase(embeddedUrl(cluster.password, port, "postgres"));
  return { cluster, port, url: embeddedUrl(cluster.password, port, databaseName) };
}

/** What makes slow statements show: in the log, and for `rowhouse slow`. */
function slowStatementSettings({ slowMs }: Settings): Record<string, string> {
  return {
    log_min_duration_statement: String(slowMs),
    shared_preload_libraries: "pg_stat_statements",
    // Utility statements are kept as they stand, with the passwords that some of them set.
    "pg_stat_statements.track_utility": "off",
  };
}

async function ensureDatabase(maintenanceUrl: string): Promise<void> {
  await withClient(maintenanceUrl, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [
      databaseName,
    ]);
    if (rowCount === 0) await createDatabase(client, maintenanceUrl);
    // It covers all databases from any one: it is here, since the home's holds what is declared.
    await client.query("create extension if not exists pg_stat_statements");
  });
}

/** With the stubs of the project's platform, and else empty. */
async function createDatabase(client: pg.Client, maintenanceUrl: string): Promise<void> {
  await client.query(`create database ${databaseName}`);
  try {
    await loadPlatform(inDatabase(maintenanceUrl, databaseName));
  } catch (error) {
    await client.query(`drop database ${databaseName} with (force)`);
    throw error;
  }
}

/**
 * The URL of the database that the settings mean, as its owner: DATABASE_URL, or that of the running
 * stack; undefined when none runs.
 */
export async function findDatabaseUrl(settings: Settings, home: Home): Promise<string | undefined> {
  if (settings.databaseUrl) return settings.databaseUrl;
  const state = await runningState(home);
  return state?.databasePort === undefined
    ? undefined
    : embeddedUrl(postgresPassword(home), state.databasePort, databaseName);
}

/**
 * Lets a command work on the database that the settings mean: the one in DATABASE_URL, the one
 * of the running stack, or the home's own, started for as long as the work takes.
 */
export async function withDatabase<T>(
  settings: Settings,
  home: Home,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const url = await findDatabaseUrl(settings, home);
  if (url !== undefined) return work(url);
  const lock = await acquireLock(home, "wait");
  const group = createProcessGroup(lock, note);
  try {
    const { url } = await startEmbedded(settings, home, group, "wait");
    return await work(url);
  } finally {
    await group.stop();
    await lock.release();
  }
}

/**
 * The same for a command that looks after a database: where none is, as under a home that was
 * mistyped or whose disk is not there, it must not make a new one and find that well.
 *
 * @throws RowhouseError home_empty
 */
export async function withExistingDatabase<T>(
  settings: Settings,
  home: Home,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (settings.databaseUrl || hasData(home)) return withDatabase(settings, home, work);
  throw new RowhouseError(
    "home_empty",
    `There is no database in the home ${home.dir}.`,
    "Check ROWHOUSE_HOME, and that its disk is mounted. `npm start` creates a new database.",
  );
}

/** Data, or what a restore that was killed at its very end left: then the start explains what to do. */
function hasData(home: Home): boolean {
  const { place } = chooseIdentity(findPostgres(), home.dir);
  return readdirSync(place).some((name) => /^data($|\.before-)/.test(name));
}
