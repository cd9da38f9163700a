import { createServer, type ServerResponse } from "node:http";
import { listenUntilSignal } from "./listen.ts";
import { createPool } from "./pool.ts";
import { followProviderKeys } from "./provider-keys.ts";
import type { ProviderSettings } from "./settings.ts";

/**
 * Hands the keys of an identity provider to PostgREST until it is asked to end. There is nothing to
 * sign in to here: the server only says that it is ready.
 *
 * @throws AuthError provider_keys_failed
 */
export async function serveProvider(settings: ProviderSettings): Promise<void> {
  const pool = createPool(settings.databaseUrl);
  const end = await followProviderKeys(settings.source, settings.keyFile, pool);
  const server = createServer(({ url }, response) => {
    if (url === "/auth/ready") return send(response, 200, { ready: true });
    const message = "Sign in at the identity provider of this API.";
    return send(response, 404, { code: "NOT_FOUND", message });
  });
  await listenUntilSignal(server, settings);
  end();
  await pool.end();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
