import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { errorCode } from "../lib/errors.ts";
import { withTemporaryFolder } from "../lib/temporary.ts";

/** A socket in a home, bound for as long as this process is there. */
export interface AliveSocket {
  /** The name of its file in the home. */
  readonly name: string;
  readonly close: () => void;
}

const pattern = /^alive-[0-9a-f]{8}\.sock$/;

/**
 * Shows that this process uses a home. The kernel keeps a bound socket until its process is gone,
 * also while that is stopped or too busy to answer, and never longer.
 */
export async function bindAliveSocket(dir: string): Promise<AliveSocket> {
  const name = `alive-${randomBytes(4).toString("hex")}.sock`;
  const server = createServer((socket) => socket.on("error", () => {}).end());
  // Renamed when it listens: before that, it looks like one that was left.
  const draft = `${name}.new`;
  await withShortPath(dir, (short) => listen(server, join(short, draft)));
  renameSync(join(dir, draft), join(dir, name));
  server.unref();
  return {
    name,
    close: () => {
      server.close();
      rmSync(join(dir, name), { force: true });
    },
  };
}

/** The names of the sockets in a home that a process has bound. Those of processes that are gone are removed. */
export async function listAliveSockets(dir: string): Promise<string[]> {
  if (!existsSync(dir)) return [];
  const alive: string[] = [];
  for (const name of readdirSync(dir).filter((file) => pattern.test(file))) {
    if (await isBound(dir, name)) alive.push(name);
    else rmSync(join(dir, name), { force: true });
  }
  return alive;
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
}

async function isBound(dir: string, name: string): Promise<boolean> {
  return withShortPath(dir, async (short) => {
    const socket = connect(join(short, name));
    try {
      await once(socket, "connect");
      return true;
    } catch (error) {
      // It says nothing about the other one.
      if (["EMFILE", "ENFILE"].includes(errorCode(error) ?? "")) throw error;
      // Refused: the file is left of a process that is gone. All else may be one that is there, such
      // as EAGAIN of one that is stopped while many ask (connect(2)).
      return !["ECONNREFUSED", "ENOENT"].includes(errorCode(error) ?? "");
    } finally {
      socket.destroy();
    }
  });
}

/** A socket's path has at most 104 bytes on macOS and 108 on Linux (unix(7)): a longer one gets a link. */
async function withShortPath<T>(dir: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(join(dir, "alive-00000000.sock.new")) < 104) return use(dir);
  return withTemporaryFolder("home", (temporary) => {
    const short = join(temporary, "h");
    symlinkSync(dir, short);
    return use(short);
  });
}
