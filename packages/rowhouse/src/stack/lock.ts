import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import type { Home } from "./home.ts";
import { loopback } from "./ports.ts";

/**
 * What a running stack writes into its home, for the commands that come after it.
 * A process id alone proves nothing, as ids are used again: a stack is alive when `port`
 * answers with `key`.
 */
const stateSchema = z.object({
  pid: z.number(),
  key: z.string(),
  port: z.number(),
  startedAt: z.string(),
  apiUrl: z.string().optional(),
  /** The address of the sign-in service on this machine, where it runs. */
  signInUrl: z.string().optional(),
  /** The identity provider whose keys the stack fetches. */
  provider: z.string().optional(),
  databasePort: z.number().optional(),
  /** Process ids of the servers that run, by name. */
  servers: z.record(z.string(), z.number()),
});

/** The state of a stack. */
export type State = z.infer<typeof stateSchema>;

/** The lock that one process has on a home. */
export interface HomeLock {
  /** Writes what has changed into the state. */
  readonly update: (change: Partial<State>) => void;
  readonly release: () => Promise<void>;
}

/**
 * Locks a home, for one stack at a time. Servers that a killed stack left running are stopped first.
 *
 * @throws RowhouseError home_in_use
 */
export async function acquireLock(home: Home): Promise<HomeLock> {
  const key = randomUUID();
  const server = createServer((socket) => socket.on("error", () => {}).end(key));
  server.listen(0, loopback);
  await once(server, "listening");
  server.unref();
  const { port } = server.address() as AddressInfo;
  let state: State = {
    pid: process.pid,
    key,
    port,
    startedAt: new Date().toISOString(),
    servers: {},
  };
  try {
    await createState(home, state);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    update: (change) => {
      state = { ...state, ...change };
      const draft = `${home.stateFile}.new`;
      writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
      renameSync(draft, home.stateFile);
    },
    release: async () => {
      rmSync(home.stateFile, { force: true });
      server.close();
    },
  };
}

/** The state of the stack that runs in a home; undefined when none does. */
export async function runningState(home: Home): Promise<State | undefined> {
  const state = readState(home);
  return state !== undefined && (await isAlive(state)) ? state : undefined;
}

async function createState(home: Home, state: State): Promise<void> {
  try {
    writeFileSync(home.stateFile, JSON.stringify(state), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    const other = readState(home);
    if (other !== undefined && (await isAlive(other))) throw inUse(home, other);
    if (other !== undefined) await stopLeftovers(other);
    rmSync(home.stateFile, { force: true });
    await createState(home, state);
  }
}

function inUse(home: Home, other: State): RowhouseError {
  const where = other.apiUrl ? `, and serves ${other.apiUrl}` : "";
  return new RowhouseError(
    "home_in_use",
    `Rowhouse already runs in ${home.dir} (process ${other.pid}${where}).`,
    "Use that one, stop it first, or give this one a home and ports of its own: ROWHOUSE_HOME, API_PORT, AUTH_PORT.",
  );
}

function readState(home: Home): State | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(home.stateFile, "utf8")));
  } catch {
    return undefined; // None there, or one that a killed stack was still writing: none we can use.
  }
}

async function isAlive({ port, key }: State): Promise<boolean> {
  const socket = connect(port, loopback);
  socket.setTimeout(2000, () => socket.destroy());
  try {
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    return answer === key;
  } catch {
    return false; // No process listens, or another one does.
  }
}

/** The watchdog of the killed stack does the same; either way, this waits for the end. */
async function stopLeftovers({ servers }: Pick<State, "servers">): Promise<void> {
  for (const [name, pid] of Object.entries(servers)) {
    signal(name, pid, name === "postgres" ? "SIGINT" : "SIGTERM");
    const gone = await waitFor(() => (signal(name, pid, 0) ? undefined : true), 25, 10_000);
    if (!gone) signal(name, pid, "SIGKILL");
  }
}

/**
 * Stops the PostgreSQL that runs on a data directory whose home we have locked: a stack that was
 * killed just when it restarted the server did not record it.
 */
export async function stopOrphan(dataDir: string): Promise<void> {
  const lockFile = join(dataDir, "postmaster.pid");
  if (!existsSync(lockFile)) return;
  const pid = Number(readFileSync(lockFile, "utf8").split("\n")[0]);
  if (worksIn(pid, dataDir)) await stopLeftovers({ servers: { postgres: pid } });
}

/** Whether a process works in a folder. The id alone proves nothing, as ids are used again. */
function worksIn(pid: number, dir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dir);
  } catch {
    return false; // No such process, or a system without /proc: then PostgreSQL itself refuses.
  }
}

/** Node 24 calls its main thread, and so its process, "MainThread". */
function isCalled(pid: number, name: string): boolean {
  const actual = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  return actual === name || (name === "node" && actual === "MainThread");
}

/** Whether the process is there and is the program of that name. */
function signal(name: string, pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    if (process.platform === "linux" && !isCalled(pid, name)) return false;
    return process.kill(pid, what);
  } catch {
    return false; // No such process.
  }
}
