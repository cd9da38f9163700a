#!/usr/bin/env node
import { once } from "node:events";
import pg from "pg";
import { createAuth } from "./auth.ts";
import { createBackground } from "./background.ts";
import { log } from "./log.ts";
import { createMailer } from "./mail/mailer.ts";
import { createAuthServer } from "./server.ts";
import { readAuthSettings, SettingsError } from "./settings.ts";
import { prepareKeys } from "./signing-keys.ts";

/** Serves until it is asked to end; requests and mails under way are finished first. */
async function serve(): Promise<void> {
  const settings = readAuthSettings();
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
  server.listen(settings.port, settings.host);
  await once(server, "listening");
  log(`listening on ${settings.host}:${settings.port}, reached at ${settings.url.href}`);

  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  server.closeIdleConnections();
  await new Promise((resolve) => server.close(resolve));
  await background.settled();
  await pool.end();
}

function createPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 5, application_name: "rowhouse sign-in" });
  // A connection that PostgreSQL ends while it is idle: the pool opens another when it is needed.
  pool.on("error", (error) => log(`lost a connection: ${error.message}`));
  return pool;
}

try {
  await serve();
} catch (error) {
  log(error instanceof SettingsError ? error.message : String(error));
  process.exitCode = 1;
}
