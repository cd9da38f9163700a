import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../lib/errors.ts";
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
  /** Sends a signal to the server and all its processes, as a suspended machine stops them. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /**
   * Ends the server when it runs, and starts it again on the same port.
   *
   * @param signal What ends it: SIGQUIT without a checkpoint, SIGKILL without notice. In good order by default.
   */
  readonly restart: (signal?: NodeJS.Signals) => Promise<void>;
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
  const signal = (name: NodeJS.Signals) => {
    for (const pid of [server.pid, ...listChildren(server.pid)]) send(pid, name);
  };
  return {
    url: embeddedUrl(cluster.password, port, "postgres"),
    signal,
    restart: async (name) => {
      if (name !== undefined) signal(name);
      await (name === undefined ? server.stop() : server.ended);
      await start();
    },
    halt: () => server.stop(),
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** The processes that a process has started (Linux). */
function listChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error; // One that has just ended.
  }
}
