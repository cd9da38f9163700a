import { connect } from "node:net";
import { basename } from "node:path";
import { text } from "node:stream/consumers";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { bucketKey, type Place, userKey } from "./map.ts";

/** An HAProxy that runs compose/scale/cells.haproxy.cfg. */
export interface CellEdge {
  /** Makes sure that its map agrees with the file about a user. */
  readonly assertAgrees: (sub: string, place: Place) => Promise<void>;
  /** Changes a user's entry in the map that it has in memory, or takes it out. */
  readonly setPlace: (sub: string, value: string | undefined) => Promise<void>;
  /** Resolves when no write of a user is under way. */
  readonly drain: (sub: string) => Promise<void>;
  /** Resolves when no read of a user is under way in a cell. */
  readonly drainReads: (sub: string, cell: string) => Promise<void>;
}

/** How long a request may be under way: the edge itself gives up after 20 s. */
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
  const tables = await ask(socket, "show table");
  for (const table of ["writing", "reading"]) {
    if (!tables.includes(`# table: ${table},`)) throw failed(socket, `it has no table ${table}`);
  }
  const backends = (await ask(socket, "show backend")).split("\n");
  // cell_unknown answers those whose cell is not there.
  if (cell === "unknown" || !backends.includes(`cell_${cell}`))
    throw failed(socket, `it has no backend cell_${cell}`);
  return {
    assertAgrees: (sub, place) => assertAgrees(socket, path, sub, place),
    setPlace: (sub, value) => setEntry(socket, path, userKey(sub), value),
    drain: (sub) => drain(socket, "writing", userKey(sub)),
    drainReads: (sub, cell) => drain(socket, "reading", `${cell}/${sub}`),
  };
}

/** An edge with another map would lead the user to another cell when it starts again. */
async function assertAgrees(socket: string, map: string, sub: string, place: Place) {
  const expected: [string, string | undefined][] = [[bucketKey(sub), place.home]];
  // What a move has left half-done may differ: the file counts.
  if (!place.moving) expected.push([userKey(sub), place.entry]);
  for (const [key, value] of expected) {
    const found = await findEntry(socket, map, key);
    if (found !== value) throw mismatch(socket, key, found, value);
  }
}

async function setEntry(socket: string, map: string, key: string, value: string | undefined) {
  const before = await findEntry(socket, map, key);
  if (value === undefined) {
    if (before !== undefined) await ask(socket, "del map", map, key);
  } else await ask(socket, before === undefined ? "add map" : "set map", map, key, value);
  const now = await findEntry(socket, map, key);
  if (now !== value) throw mismatch(socket, key, now, value);
}

async function findEntry(socket: string, map: string, key: string): Promise<string | undefined> {
  return /^type=.*, value="(.*?)"/m.exec(await ask(socket, "get map", map, key))?.[1];
}

function mismatch(
  socket: string,
  key: string,
  found: string | undefined,
  wanted: string | undefined,
) {
  return failed(
    socket,
    `its map has ${found ?? "nothing"} for ${key}, and not ${wanted ?? "nothing"}`,
  );
}

async function drain(socket: string, table: "writing" | "reading", key: string): Promise<void> {
  const isDone = async () => {
    const entry = await ask(socket, `show table ${table} key`, key);
    return /conn_cur=[1-9]/.test(entry) ? undefined : true;
  };
  if (await waitFor(isDone, 20, drainMs)) return;
  throw failed(
    socket,
    `requests of the user are under way for more than ${drainMs / 1000} s (${table})`,
  );
}

/** Sends a command with its arguments, in which HAProxy takes a semicolon for the end of the command. */
async function ask(socket: string, command: string, ...args: readonly string[]): Promise<string> {
  const escaped = args.map((arg) => arg.replaceAll(/[\\;]/g, "\\$&"));
  try {
    const connection = connect(socket);
    connection.setTimeout(5000, () => connection.destroy(new Error("no answer within 5 s")));
    connection.write(`${[command, ...escaped].join(" ")}\n`);
    return await text(connection);
  } catch (error) {
    throw failed(socket, errorMessage(error), error);
  }
}

function failed(socket: string, reason: string, cause?: unknown): RowhouseError {
  return new RowhouseError(
    "edge_failed",
    `The edge at ${socket}: ${reason}.`,
    "Check that it runs with scale/cells.haproxy.cfg, and --socket, --map and --cell. It reads the map file when it starts.",
    { cause },
  );
}
