import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../stack/ports.ts";
import {
  embeddedUrl,
  launchPostgres,
  openThrowawayCluster,
  postgresReady,
} from "../stack/postgres.ts";
import type { Server } from "../stack/process.ts";
import { startWatchdog } from "../stack/watchdog.ts";

/** An embedded PostgreSQL server of a test's own, with nothing in it. */
export interface TestCluster {
  /** The superuser's URL, on the maintenance database. */
  readonly url: string;
  /** Ends the server when it runs, and starts it again on the same port. */
  readonly restart: () => Promise<void>;
  /** Ends the server and leaves its data. */
  readonly halt: () => Promise<void>;
  /** Ends the server and removes its data. */
  readonly stop: () => Promise<void>;
}

/** Starts one; it also ends with the test process. */
export async function startCluster(settings: Record<string, string> = {}): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-test-"));
  const cluster = await openThrowawayCluster(dir);
  const port = await freePort();
  const watchdog = startWatchdog();
  let server: Server;
  const start = async () => {
    server = await launchPostgres(cluster, port, { fsync: "off", ...settings });
    watchdog([server]);
    await postgresReady(cluster, port, server);
  };
  await start();
  return {
    url: embeddedUrl(cluster.password, port, "postgres"),
    restart: async () => {
      await server.stop();
      await start();
    },
    halt: () => server.stop(),
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}
