import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { codeOf, RowhouseError } from "../errors.ts";

/** Where everything listens: this machine alone. */
export const loopback = "127.0.0.1";

/** A port on loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  return probe(0);
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
    if (codeOf(error) === "EACCES") {
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
  const address = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return address.port;
}
