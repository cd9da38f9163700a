#!/usr/bin/env node
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import pg from "pg";
import { createAuth } from "./auth.ts";
import { createBackground } from "./background.ts";
import { log } from "./log.ts";
import { createMailer } from "./mail/mailer.ts";
import { followProviderKeys, ProviderError } from "./provider-keys.ts";
import { createAuthServer } from "./server.ts";
import {
  type AuthSettings,
  type ProviderSettings,
  readAuthSettings,
  readProviderSettings,
  SettingsError,
} from "./settings.ts";
import { prepareKeys } from "./signing-keys.ts";

/** Serves until it is asked to end. */
async function run(): Promise<void> {
  const provider = readProviderSettings();
  await (provider === undefined ? serveAccounts(readAuthSettings()) : serveKeysOf(provider));
}

/** Accounts of our own. Requests and mails under way are finished at the end. */
async function serveAccounts(settings: AuthSettings): Promise<void> {
  const pool = createPool(settings.databaseUrl);
  const background = createBackground();
  const auth = createAuth({
    settings,
    pool,
    mail: createMailer(settings),
    background: background.add,
  });
  await prepareKeys({ auth, pool, settings });
  const server = createAuthServer({ auth, pool, settings });
  await serveUntilSignal(server, settings);
  await background.settled();
  await pool.end();
}

/** Accounts of a provider: PostgREST gets its keys, and there is nothing to sign in to here. */
async function serveKeysOf({
  source,
  keyFile,
  databaseUrl,
  ...address
}: ProviderSettings): Promise<void> {
  const pool = createPool(databaseUrl);
  const end = await followProviderKeys(source, keyFile, pool);
  const server = createServer(({ url }, response) => {
    const isReady = url === "/auth/ready";
    response.writeHead(isReady ? 200 : 404, { "Content-Type": "application/json" });
    response.end(
      JSON.stringify(
        isReady
          ? { ready: true }
          : { code: "NOT_FOUND", message: "Sign in at the identity provider of this API." },
      ),
    );
  });
  await serveUntilSignal(server, address);
  end();
  await pool.end();
}

async function serveUntilSignal(
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

function createPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 5, application_name: "rowhouse sign-in" });
  // A connection that PostgreSQL ends while it is idle: the pool opens another when it is needed.
  pool.on("error", (error) => log(`lost a connection: ${error.message}`));
  return pool;
}

try {
  await run();
} catch (error) {
  log(
    error instanceof SettingsError || error instanceof ProviderError
      ? error.message
      : String(error),
  );
  process.exitCode = 1;
}
