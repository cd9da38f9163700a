import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { setPassword } from "../../src/stack/login.ts";
import { freePort } from "../../src/stack/ports.ts";
import {
  type Cluster,
  embeddedUrl,
  launchPostgres,
  openCluster,
  postgresReady,
} from "../../src/stack/postgres.ts";
import type { Server } from "../../src/stack/process.ts";
import { watch } from "../edge/edge.ts";

/** A PostgreSQL server with a streaming replica. */
export interface Replicated {
  /** The primary's database, as superuser. */
  readonly primaryUrl: string;
  readonly replicaUrl: string;
  readonly primary: Server;
  /** A URL for authenticator that finds, of the two, the one that suits an attribute of sessions. */
  readonly urlFor: (attribute: "read-write" | "prefer-standby") => string;
  readonly stop: () => Promise<void>;
}

const settings = { fsync: "off", max_connections: "60" };

/** Starts the two, with the project's migrations applied; stop them in afterAll. */
export async function startReplicated(): Promise<Replicated> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-replicated-"));
  const [home, replicaHome] = [join(dir, "primary"), join(dir, "replica")];
  execFileSync("mkdir", [home, replicaHome]);
  const [port, replicaPort] = [await freePort(), await freePort()];
  const cluster = await openCluster(home, "postgres", join(dir, "primary.log"), false);
  const start = async () => {
    const server = await launchPostgres(cluster, port, settings);
    watch(server);
    await postgresReady(cluster, port, server);
    return server;
  };
  const serverUrl = embeddedUrl("postgres", port, "postgres");
  const first = await start();
  await withClient(serverUrl, (client) => client.query("create database app"));
  const primaryUrl = inDatabase(serverUrl, "app");
  await migrate(primaryUrl);
  await setPassword(serverUrl, "authenticator", inject("authenticatorPassword"));
  await first.stop();

  // A copy of a server that was stopped is a base backup.
  const replicaCluster = copyCluster(cluster, home, replicaHome, join(dir, "replica.log"));
  const primary = await start();
  const replica = await launchPostgres(replicaCluster, replicaPort, {
    ...settings,
    primary_conninfo: `host=127.0.0.1 port=${port} user=postgres password=postgres application_name=replica`,
  });
  watch(replica);
  const replicaUrl = embeddedUrl("postgres", replicaPort, "app");
  await streams(primaryUrl);
  const login = `authenticator:${inject("authenticatorPassword")}`;
  return {
    primaryUrl,
    replicaUrl,
    primary,
    urlFor: (attribute) =>
      `postgres://${login}@127.0.0.1:${port},127.0.0.1:${replicaPort}/app?target_session_attrs=${attribute}`,
    stop: async () => {
      await Promise.all([primary.stop(), replica.stop()]);
      rmSync(dir, { recursive: true });
    },
  };
}

function copyCluster(cluster: Cluster, home: string, place: string, logFile: string): Cluster {
  const inHome = cluster.identity.place === home;
  const target = inHome ? place : `${cluster.identity.place}-replica`;
  execFileSync("cp", ["-a", `${cluster.identity.place}/.`, target]);
  const dataDir = join(target, "data");
  writeFileSync(join(dataDir, "standby.signal"), "");
  return { ...cluster, dataDir, logFile, identity: { ...cluster.identity, place: target } };
}

async function streams(primaryUrl: string): Promise<void> {
  const found = await waitFor(
    () =>
      withClient(primaryUrl, async (client) => {
        const { rows } = await client.query(
          "select from pg_stat_replication where state = 'streaming'",
        );
        return rows.length > 0 ? true : undefined;
      }),
    50,
    30_000,
  );
  if (!found) throw new Error("The replica does not stream.");
}
