import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createAuth } from "./auth.ts";
import { createBackground } from "./background.ts";
import { log } from "./log.ts";
import { createMailer } from "./mail/mailer.ts";
import { renewEncryption } from "./renew-encryption.ts";
import { createAuthServer } from "./server.ts";
import { readAuthSettings } from "./settings.ts";
import { type KeyContext, maintainKeys, prepareKeys } from "./signing-keys.ts";

const maintenanceMs = 30_000;

/**
 * Serves until it is asked to end; requests and mails under way are finished first.
 *
 * @throws AuthError settings_invalid, secret_unknown
 */
export async function serve(): Promise<void> {
  const settings = readAuthSettings();
  const pool = createPool(settings.databaseUrl);
  const background = createBackground();
  const auth = createAuth({
    settings,
    pool,
    mail: createMailer(settings),
    background: background.add,
  });
  await whenDatabaseIsUp(() => prepareKeys({ pool, settings }));
  const server = createAuthServer({ auth, pool, settings });
  server.listen(settings.port, settings.host);
  await once(server, "listening");
  log(`listening on ${settings.host}:${settings.port}, reached at ${settings.url.href}`);
  background.add(renewWithNewest({ pool, settings }));
  const maintenance = setInterval(
    () => background.add(maintainKeys({ pool, settings })),
    maintenanceMs,
  );

  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  clearInterval(maintenance);
  server.closeIdleConnections();
  await new Promise((resolve) => server.close(resolve));
  await background.settled();
  await pool.end();
}

/** While an older secret is at hand: the log tells when what it has encrypted no longer needs it. */
async function renewWithNewest(context: KeyContext): Promise<void> {
  if (context.settings.secrets.length === 1) return;
  const { renewed, unreadable } = await renewEncryption(context);
  log(`encrypted ${renewed} values with the newest secret`);
  if (unreadable > 0) log(`${unreadable} values are encrypted with none of the secrets`);
}

function createPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: 5,
    application_name: "rowhouse sign-in",
    connectionTimeoutMillis: 5_000,
  });
  // A connection that PostgreSQL ends while it is idle: the pool opens another when it is needed.
  pool.on("error", (error) => log(`lost a connection: ${error.message}`));
  return pool;
}

/** What PostgreSQL's clients see while it is down, ends or starts. */
const away = new Set(["ECONNREFUSED", "ECONNRESET", "57P01", "57P02", "57P03"]);
const limitMs = 15_000;

/** A service that is started while PostgreSQL restarts waits for it. */
async function whenDatabaseIsUp(work: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: string };
      if (!away.has(code ?? "") || performance.now() > deadline) throw error;
      await delay(100);
    }
  }
}
