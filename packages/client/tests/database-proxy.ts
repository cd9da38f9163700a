import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to PostgreSQL whose connections can be broken one by one, as a killed backend breaks its. */
export interface DatabaseProxy {
  /** The URL of the same database, through the proxy. */
  readonly url: string;
  /** Breaks one connection: the one whose port the server knows (`client_port`). */
  readonly break: (clientPort: number) => void;
  readonly stop: () => void;
}

/** Starts a proxy of a database's server; stop it when PostgREST has ended. */
export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Map<number, Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    upstream.on("connect", () => sockets.set(upstream.localPort ?? 0, client));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    break: (clientPort) => sockets.get(clientPort)?.destroy(),
    stop: () => server.close(),
  };
}
