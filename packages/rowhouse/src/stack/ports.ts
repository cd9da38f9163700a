import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { errorCode, RowhouseError } from "../lib/errors.ts";

/** Where everything listens: this machine alone. */
export const loopback = "127.0.0.1";

/**
 * A port on loopback that no process listens on. It is outside the range that a system gives to
 * outgoing connections (Linux from 32768 on, macOS from 49152), so none can take it.
 */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await probe(randomInt(20_000, 32_000));
    } catch (error) {
      if (errorCode(error) !== "EADDRINUSE" || tries === 100) throw error;
    }
  }
}

/**
 * Makes sure that a port can be listened on.
 *
 * @param setting The variable that moves it, for the remedy.
 * @throws RowhouseError port_in_use
 */
export async function assertFree(port: number, setting: string): Promise<void> {
  try {
    await probe(port);
  } catch (error) {
    if (errorCode(error) === "EACCES") {
      throw new RowhouseError(
        "port_in_use",
        `Port ${port} may not be listened on by this user.`,
        `Set ${setting} to a port above 1023.`,
        { cause: error },
      );
    }
    throw new RowhouseError(
      "port_in_use",
      `Port ${port} is in use by another program.`,
      `Stop that program, or set ${setting} to a free port.`,
      { cause: error },
    );
  }
}

async function probe(port: number): Promise<number> {
  const server = createServer().listen(port, loopback);
  await once(server, "listening");
  server.close();
  await once(server, "close");
  return port;
}
