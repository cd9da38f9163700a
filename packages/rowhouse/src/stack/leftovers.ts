import { existsSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../lib/errors.ts";
import { note, noteIfSlow } from "../lib/output.ts";
import { waitFor } from "../lib/wait.ts";
import { identify, isSame, type ProcessIdentity } from "./process-identity.ts";
import type { State } from "./state.ts";

/** Servers that a killed stack left running, by the name of the program. */
export type Leftovers = Readonly<Record<string, ProcessIdentity>>;

/**
 * What becomes of servers that a killed stack left running: a start ends them. All else waits for the
 * watchdog of that stack to do so, and ends nothing itself.
 */
export type LeftoverPolicy = "end" | "wait";

/** How long a server may take to end, in milliseconds. PostgreSQL first writes what it has in memory. */
const limits = { postgres: 600_000, other: 10_000 };

/** How long the watchdog of a killed stack may take, in milliseconds. */
const watchdogMs = 10_000;

/** The servers of a stack that is gone which still run. */
export function findLeftovers({ servers }: Pick<State, "servers">): Leftovers {
  return Object.fromEntries(Object.entries(servers).filter(([, server]) => signal(server, 0)));
}

/**
 * The PostgreSQL that runs on a data directory whose home we have locked: a stack that was killed
 * just when it restarted the server did not record it.
 */
export function findOrphan(dataDir: string): Leftovers {
  const lockFile = join(dataDir, "postmaster.pid");
  if (!existsSync(lockFile)) return {};
  const pid = Number(readFileSync(lockFile, "utf8").split("\n")[0]);
  return isPostgresIn(pid, dataDir) ? findLeftovers({ servers: { postgres: identify(pid) } }) : {};
}

/**
 * Resolves when none of them runs any more.
 *
 * @throws RowhouseError servers_left
 */
export async function settleLeftovers(servers: Leftovers, policy: LeftoverPolicy): Promise<void> {
  for (const [name, server] of Object.entries(servers)) {
    const waiting = `Waiting for ${name} (process ${server.pid}) to end, which a killed stack left ...`;
    await noteIfSlow(waiting, policy === "end" ? end(name, server) : outlast(name, server));
  }
}

/** The watchdog of the killed stack does the same; either way, this waits for the end. */
async function end(name: string, server: ProcessIdentity): Promise<void> {
  const limit = name === "postgres" ? limits.postgres : limits.other;
  signal(server, name === "postgres" ? "SIGINT" : "SIGTERM");
  if (await isGone(server, limit)) return;
  note(`${name} (process ${server.pid}) did not end within ${limit / 1000} s: killing it.`);
  signal(server, "SIGKILL");
  await isGone(server, limits.other);
}

async function outlast(name: string, server: ProcessIdentity): Promise<void> {
  if (await isGone(server, watchdogMs)) return;
  throw new RowhouseError(
    "servers_left",
    `${name} (process ${server.pid}) of a stack that was killed still runs, and this command ends no server.`,
    "`npm start` ends it and goes on with its data.",
  );
}

async function isGone(server: ProcessIdentity, limitMs: number): Promise<boolean> {
  return (await waitFor(() => (signal(server, 0) ? undefined : true), 25, limitMs)) === true;
}

/**
 * Whether a process is a PostgreSQL that works in a folder. The id alone proves nothing, as ids are used
 * again, and a shell can be in that folder, too.
 */
function isPostgresIn(pid: number, dir: string): boolean {
  try {
    return readName(pid) === "postgres" && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dir);
  } catch {
    return false; // It has just ended.
  }
}

/** The name of a process; undefined when it is not there, and on a system without /proc. */
function readName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** An id that no process has: on Linux they end at 2 ** 22 (proc_sys_kernel(5)). */
const noProcess = 2 ** 22 + 1;

/**
 * Frees a lock file of PostgreSQL whose server is gone while its id is taken: by another program, as any may
 * get it when the machine has crashed, or by the server itself, as long as no process collects it.
 * PostgreSQL would refuse to start. The rest of the file stays, by which it finds backends that have
 * outlived their server.
 */
export function freeLockFile(file: string): void {
  if (!existsSync(file)) return;
  const [id, ...lines] = readFileSync(file, "utf8").split("\n");
  const pid = Number(id);
  const name = readName(pid);
  const isServer = name === "postgres" && identify(pid).start !== null;
  if (name === undefined || isServer) return;
  writeFileSync(file, [noProcess, ...lines].join("\n"));
}

/** Whether the process that was recorded is there, and took the signal. */
function signal(server: ProcessIdentity, what: NodeJS.Signals | 0): boolean {
  try {
    return isSame(server) && process.kill(server.pid, what);
  } catch {
    return false; // It has just ended.
  }
}
