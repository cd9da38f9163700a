import pg from "pg";
import { withClient } from "./database.ts";
import { type Home, postgresPassword } from "./home.ts";
import { freePort } from "./ports.ts";
import { type Cluster, clusterUrl, openCluster, startPostgres } from "./postgres.ts";
import type { Server } from "./server.ts";
import type { Settings } from "./settings.ts";
import { runningState, takeHold } from "./state.ts";

/** The database of a home, on the embedded server. */
export const databaseName = "rowhouse";

/** The embedded server of a home: where it is, and how to start it. */
export interface Embedded {
  readonly cluster: Cluster;
  readonly port: number;
  /** The URL of the home's database, as superuser. */
  readonly url: string;
  readonly start: () => Promise<Server>;
}

/** Prepares the embedded server of a home; it is not started yet. */
export async function embedded(settings: Settings, home: Home): Promise<Embedded> {
  const cluster = await openCluster(home.dir, postgresPassword(home), home.postgresLog);
  const port = settings.dbPort ?? (await freePort());
  return {
    cluster,
    port,
    url: clusterUrl(cluster, port, databaseName),
    start: () => startPostgres(cluster, port),
  };
}

/** Creates the home's database when it is missing. */
export async function ensureDatabase({ cluster, port }: Embedded): Promise<void> {
  await withClient(clusterUrl(cluster, port, "postgres"), async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [
      databaseName,
    ]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(databaseName)}`);
  });
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
  if (settings.databaseUrl) return work(settings.databaseUrl);
  const state = await runningState(home);
  if (state?.databasePort) {
    const password = postgresPassword(home);
    return work(`postgres://postgres:${password}@127.0.0.1:${state.databasePort}/${databaseName}`);
  }
  const hold = await takeHold(home);
  try {
    const database = await embedded(settings, home);
    const server = await database.start();
    try {
      await ensureDatabase(database);
      return await work(database.url);
    } finally {
      await server.stop();
    }
  } finally {
    await hold.release();
  }
}
