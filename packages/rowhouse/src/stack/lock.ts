import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { type AliveSocket, bindAliveSocket, listAliveSockets } from "./alive.ts";
import type { Home } from "./home.ts";
import { findLeftovers, type LeftoverPolicy, settleLeftovers } from "./leftovers.ts";
import { identify } from "./process-identity.ts";
import { homeId, readState, type State, writeState } from "./state.ts";

/** The lock that one process has on a home. */
export interface HomeLock {
  /** Writes what has changed into the state. */
  readonly update: (change: Partial<State>) => void;
  readonly release: () => Promise<void>;
}

/** How long one that has just locked a home may take to write its state, in milliseconds. */
const writingMs = 2000;

/**
 * Locks a home, for one process at a time.
 *
 * @throws RowhouseError home_in_use; servers_left when leftovers are waited for, and stay
 */
export async function acquireLock(home: Home, leftovers: LeftoverPolicy): Promise<HomeLock> {
  const socket = await bindAlone(home);
  try {
    const servers = recordedServers(home);
    const startedAt = new Date().toISOString();
    let state: State = {
      pid: process.pid,
      home: homeId(home),
      socket: socket.name,
      startedAt,
      servers,
    };
    // Before the wait, which can be long: others shall know who is here, and what was left.
    writeState(home, state);
    await settleLeftovers(findLeftovers({ servers }), leftovers);
    state = { ...state, servers: {} };
    writeState(home, state);
    return {
      update: (change) => {
        state = { ...state, ...change };
        writeState(home, state);
      },
      release: async () => {
        rmSync(home.stateFile, { force: true });
        socket.close();
      },
    };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** The servers that the last stack of this home has recorded. */
function recordedServers(home: Home): State["servers"] {
  const state = readState(home);
  return state?.home === homeId(home) ? state.servers : {};
}

/**
 * The state of the stack that runs in a home; undefined when none does.
 *
 * @throws RowhouseError home_in_use when one runs whose state cannot be read
 */
export async function runningState(home: Home): Promise<State | undefined> {
  const sockets = await listAliveSockets(home.dir);
  if (sockets.length === 0) return undefined;
  const ask = () => readStateOf(home, sockets);
  const state = await waitFor(ask, 25, writingMs);
  if (state !== undefined) return state;
  // It may have ended meanwhile.
  if ((await listAliveSockets(home.dir)).length === 0) return undefined;
  throw inUse(home, undefined);
}

/** The state in a home, if one of these sockets is its stack's. */
function readStateOf(home: Home, sockets: readonly string[]): State | undefined {
  const state = readState(home);
  return state !== undefined && sockets.includes(state.socket) ? state : undefined;
}

/**
 * Binds a socket in a home in which no other is bound. Of two at the same moment both draw back, and try
 * again. So does who meets the socket of a process that is gone: one that it was just starting when it was
 * killed holds it until it has become another program (fork(2), execve(2)).
 */
async function bindAlone(home: Home): Promise<AliveSocket> {
  let other: State | undefined;
  const ask = async () => {
    const socket = await bindAliveSocket(home.dir);
    const others = (await listAliveSockets(home.dir)).filter((name) => name !== socket.name);
    if (others.length === 0) return socket;
    socket.close();
    other = readStateOf(home, others);
    if (other !== undefined && identify(other.pid).start !== null) throw inUse(home, other);
    await delay(randomInt(50));
    return undefined;
  };
  const socket = await waitFor(ask, 25, writingMs);
  if (socket === undefined) throw inUse(home, other);
  return socket;
}

function inUse(home: Home, other: State | undefined): RowhouseError {
  if (other === undefined) {
    return new RowhouseError(
      "home_in_use",
      `Rowhouse already runs in ${home.dir}, and what it wrote into ${home.stateFile} cannot be read.`,
      "Stop it (Ctrl-C where it runs) and start it again, which writes the file anew.",
    );
  }
  const where = other.apiUrl ? `, and serves ${other.apiUrl}` : "";
  return new RowhouseError(
    "home_in_use",
    `Rowhouse already runs in ${home.dir} (process ${other.pid}${where}).`,
    "Use that one, stop it first, or give this one a home and ports of its own: ROWHOUSE_HOME, API_PORT, AUTH_PORT.",
  );
}
