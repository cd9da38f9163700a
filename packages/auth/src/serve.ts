import { setTimeout as delay } from "node:timers/promises";
import { createAuth } from "./auth.ts";
import { createBackground } from "./background.ts";
import { listenUntilSignal } from "./listen.ts";
import { log } from "./log.ts";
import { checkMail, createMailer } from "./mail/mailer.ts";
import { createPool } from "./pool.ts";
import { renewEncryption } from "./renew-encryption.ts";
import { serveProvider } from "./serve-provider.ts";
import { createAuthServer } from "./server.ts";
import { type AuthSettings, readAuthSettings, readProviderSettings } from "./settings.ts";
import { type KeyContext, maintainKeys, prepareKeys } from "./signing-keys.ts";

const maintenanceMs = 30_000;

/**
 * Serves until it is asked to end: accounts of our own, or the keys of a provider.
 *
 * @throws AuthError settings_invalid, secret_unknown, provider_keys_failed
 */
export async function serve(): Promise<void> {
  const provider = readProviderSettings();
  await (provider === undefined ? serveAccounts(readAuthSettings()) : serveProvider(provider));
}

async function serveAccounts(settings: AuthSettings): Promise<void> {
  const pool = createPool(settings.databaseUrl);
  const background = createBackground();
  const auth = createAuth({
    settings,
    pool,
    mail: createMailer(settings),
    background: background.add,
  });
  await whenDatabaseIsUp(() => prepareKeys({ pool, settings }));
  background.add(checkMail(settings));
  background.add(renewWithNewest({ pool, settings }));
  const maintenance = setInterval(
    () => background.add(maintainKeys({ pool, settings })),
    maintenanceMs,
  );
  await listenUntilSignal(createAuthServer({ auth, pool, settings }), settings);
  clearInterval(maintenance);
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
