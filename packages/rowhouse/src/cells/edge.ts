import { connect } from "node:net";
import { basename } from "node:path";
import { text } from "node:stream/consumers";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { userKey } from "./map.ts";

/** An HAProxy that runs compose/scale/cells.haproxy.cfg. */
export interface CellEdge {
  /** Changes a user's entry in the map that it has in memory, or takes it out. */
  readonly setPlace: (sub: string, value: string | undefined) => Promise<void>;
  /** Resolves when no write of a user is under way. */
  readonly drain: (sub: string) => Promise<void>;
}

/** How long a write may be under way: the edge itself gives up after 20 s. */
const drainMs = 60_000;

/**
 * Finds the map in an HAProxy, and makes sure that it has the cell.
 *
 * @param socket Its socket, at the level admin.
 * @param file The map file: the one there has the same name, and may lie in another folder.
 * @throws RowhouseError edge_failed
 */
export async function openEdge(socket: string, file: string, cell: string): Promise<CellEdge> {
  const maps = await ask(socket, "show map");
  const paths = [...maps.matchAll(/^-?\d+ \((\S+)\)/gm)].map(([, path = ""]) => path);
  const [path, another] = paths.filter((path) => basename(path) === basename(file));
  if (path === undefined || another !== undefined) {
    throw failed(
      socket,
      `it has ${path === undefined ? "no" : "more than one"} map ${basename(file)}`,
    );
  }
  const backends = (await ask(socket, "show backend")).split("\n");
  if (!backends.includes(`cell_${cell}`)) throw failed(socket, `it has no backend cell_${cell}`);
  return {
    setPlace: (sub, value) => setEntry(socket, path, userKey(sub), value),
    drain: (sub) => drain(socket, sub),
  };
}

async function setEntry(socket: string, map: string, key: string, value: string | undefined) {
  const found = async () =>
    /^type=.*, value="(.*?)"/m.exec(await ask(socket, `get map ${map} ${key}`))?.[1];
  const before = await found();
  if (value === undefined) {
    if (before !== undefined) await ask(socket, `del map ${map} ${key}`);
  } else await ask(socket, `${before === undefined ? "add" : "set"} map ${map} ${key} ${value}`);
  const now = await found();
  if (now !== value)
    throw failed(
      socket,
      `its map has ${now ?? "nothing"} for ${key}, and not ${value ?? "nothing"}`,
    );
}

async function drain(socket: string, sub: string): Promise<void> {
  const isDone = async () => {
    const entry = await ask(socket, `show table writing key ${userKey(sub)}`);
    return /conn_cur=[1-9]/.test(entry) ? undefined : true;
  };
  if (await waitFor(isDone, 20, drainMs)) return;
  throw failed(socket, `writes of the user are under way for more than ${drainMs / 1000} s`);
}

async function ask(socket: string, command: string): Promise<string> {
  try {
    const connection = connect(socket);
    connection.setTimeout(5000, () => connection.destroy(new Error("no answer within 5 s")));
    connection.write(`${command}\n`);
    return await text(connection);
  } catch (error) {
    throw failed(socket, errorMessage(error), error);
  }
}

function failed(socket: string, reason: string, cause?: unknown): RowhouseError {
  return new RowhouseError(
    "edge_failed",
    `The edge at ${socket}: ${reason}.`,
    "Check that it runs with scale/cells.haproxy.cfg, and --socket, --map and --cell.",
    { cause },
  );
}
