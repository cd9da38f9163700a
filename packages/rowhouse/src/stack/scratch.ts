import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { note } from "../lib/output.ts";
import { waitForSignal } from "../lib/signals.ts";
import { inDatabase, withClient } from "./database.ts";
import { loadPlatform } from "./platform.ts";
import { freePort } from "./ports.ts";
import { embeddedUrl, launchPostgres, openThrowawayCluster, postgresReady } from "./postgres.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { readSettings } from "./settings.ts";
import { startWatchdog } from "./watchdog.ts";

/** A server for throwaway databases. */
export interface Scratch {
  /** A superuser's URL, on the maintenance database. */
  readonly serverUrl: string;
  /**
   * Creates a database: one with the stubs of the project's platform alone, or a copy of another one
   * there, which must have no connections.
   *
   * @param template The URL of the database to copy. Its own grants and settings (those of
   *   `pg_database`) are not copied.
   * @returns Its URL, as superuser.
   */
  readonly create: (template?: string) => Promise<string>;
  /** Drops a database that `create` made. */
  readonly drop: (url: string) => Promise<void>;
}

/** A server that is thrown away when it is closed. */
export interface ScratchServer extends Scratch {
  readonly close: () => Promise<void>;
}

/** Databases on a server that runs already. */
export function scratchOn(serverUrl: string, prefix = "scratch"): Scratch {
  return {
    serverUrl,
    create: async (template) => {
      const name = `${prefix}_${randomBytes(4).toString("hex")}`;
      const source = template ? new URL(template).pathname.slice(1) : "template0";
      await withClient(serverUrl, (client) =>
        client.query(`create database ${name} template ${source} strategy file_copy`),
      );
      const url = inDatabase(serverUrl, name);
      if (template === undefined) await loadPlatform(url);
      return url;
    },
    drop: async (url) => {
      const name = new URL(url).pathname.slice(1);
      await withClient(serverUrl, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/** Nothing of a throwaway server must survive a power cut: about twice as fast. */
export const throwawaySettings = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
};

/** For a server that runs for seconds and is never started again: less to start, less to write. */
const scratchSettings = {
  ...throwawaySettings,
  autovacuum: "off",
  io_method: "sync",
  max_logical_replication_workers: "0",
};

/**
 * Finds a place for throwaway databases: the server in SCRATCH_URL, or else an embedded one on data
 * of its own, which takes about half a second.
 */
export async function openScratch(): Promise<ScratchServer> {
  const { scratchUrl } = readSettings();
  return scratchUrl ? openScratchOn(scratchUrl) : openOwnScratch();
}

/** Only the databases are thrown away. */
async function openScratchOn(serverUrl: string): Promise<ScratchServer> {
  const made = new Set<string>();
  const scratch = scratchOn(serverUrl);
  const drop = async (url: string) => {
    made.delete(url);
    await scratch.drop(url);
  };
  return {
    serverUrl,
    create: async (template) => {
      const url = await scratch.create(template);
      made.add(url);
      return url;
    },
    drop,
    close: async () => {
      for (const url of made) await drop(url);
    },
  };
}

/** Starts an embedded server on data of its own, to be closed. */
export async function openOwnScratch(): Promise<ScratchServer> {
  const dir = mkdtempSync(join(scratchFolder(), "rowhouse-scratch-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  // However this process ends, short of being killed.
  process.once("exit", remove);
  const watchdog = startWatchdog(dir);
  const cluster = await openThrowawayCluster(dir);
  const port = await freePort();
  const server = await launchPostgres(cluster, port, scratchSettings, "SIGQUIT");
  watchdog([server]);
  await postgresReady(cluster, port, server);
  return {
    ...scratchOn(embeddedUrl(cluster.password, port, "postgres")),
    close: async () => {
      await server.stop();
      watchdog([]);
      remove();
      process.off("exit", remove);
    },
  };
}

/** Lets a command work on a throwaway server. Ctrl-C ends both, with exit code 130. */
export async function withScratch<T>(work: (scratch: Scratch) => Promise<T>): Promise<T> {
  return withServers(async (open) => work(await open()));
}

/** The same on a server that is surely its own: for what changes roles in ways that must not stay. */
export async function withOwnScratch<T>(work: (scratch: Scratch) => Promise<T>): Promise<T> {
  return withServers(async (open) => work(await open()), openOwnScratch);
}

/**
 * Lets a command work on two throwaway servers: roles belong to a server, so two databases whose
 * roles may differ need one each. With SCRATCH_URL both are the same one.
 */
export async function withScratchPair<T>(
  work: (first: Scratch, second: Scratch) => Promise<T>,
): Promise<T> {
  return withServers(async (open) => work(...(await Promise.all([open(), open()]))));
}

async function withServers<T>(
  work: (open: () => Promise<Scratch>) => Promise<T>,
  start = openScratch,
): Promise<T> {
  const servers: Promise<ScratchServer>[] = [];
  const open = () => {
    const server = start();
    servers.push(server);
    return server;
  };
  const close = async () => {
    for (const server of await Promise.allSettled(servers)) {
      if (server.status === "fulfilled") await server.value.close();
    }
  };
  const interrupted = waitForSignal().then(async () => {
    await close();
    note("Interrupted.");
    return process.exit(130);
  });
  try {
    return await Promise.race([work(open), interrupted]);
  } finally {
    await close();
  }
}
