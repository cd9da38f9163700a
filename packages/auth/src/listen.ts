import { once } from "node:events";
import type { Server } from "node:http";
import { log } from "./log.ts";

/** Lets a server listen until this process is asked to end; requests under way are answered first. */
export async function listenUntilSignal(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  server.listen(port, host);
  await once(server, "listening");
  log(`listening on ${host}:${port}`);
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  server.closeIdleConnections();
  await new Promise((resolve) => server.close(resolve));
}
