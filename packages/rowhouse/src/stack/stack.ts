import { randomBytes } from "node:crypto";
import { RowhouseError } from "../lib/errors.ts";
import {
  authenticatorUrl,
  ensureAuthenticator,
  setAuthenticatorPassword,
} from "./authenticator.ts";
import { findPostgrest } from "./binaries.ts";
import { withoutPassword } from "./database.ts";
import { migrate, waitingText } from "./dbmate.ts";
import { startEmbedded } from "./embedded.ts";
import { type Home, openHome } from "./home.ts";
import { type Hold, takeHold } from "./lock.ts";
import { assertFree, freePort, loopback } from "./ports.ts";
import { type ApiOptions, launchPostgrest, postgrestReady, settledOptions } from "./postgrest.ts";
import { type Crew, newCrew } from "./process-group.ts";
import type { Settings } from "./settings.ts";

/** A stack that serves. */
export interface Stack {
  readonly apiUrl: string;
  /** The URL of the database, as its owner. */
  readonly databaseUrl: string;
  /** Which database, and where its data lies, for showing. */
  readonly database: string;
  /** The migration files that this start applied. */
  readonly applied: readonly string[];
  /** Resolves when the stack was stopped; rejects when a server keeps ending. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What is done with the database before the migrations are applied. */
export type BeforeMigrating = (databaseUrl: string) => Promise<void>;

/** Told what happens, a line at a time. */
export type Say = (line: string) => void;

/** A database that is up: its owner's URL, and what PostgREST signs in with. */
interface Database {
  readonly url: string;
  readonly shown: string;
  readonly admit: () => Promise<string>;
}

/**
 * Starts everything: PostgreSQL (unless DATABASE_URL names one), migrations, PostgREST.
 * When a step fails, what was started before it is stopped again.
 *
 * @throws RowhouseError with the code of the step that failed.
 */
export async function startStack(
  settings: Settings,
  say: Say,
  beforeMigrating: BeforeMigrating = async () => {},
): Promise<Stack> {
  const home = openHome(settings.home);
  const hold = await takeHold(home);
  const crew = newCrew(hold, say);
  const stop = async () => {
    await crew.stop();
    await hold.release();
  };
  try {
    await assertFree(settings.apiPort, "API_PORT");
    const database = settings.databaseUrl
      ? externalDatabase(settings.databaseUrl, settings.authenticatorPassword)
      : await embeddedDatabase(settings, home, hold, crew);
    await beforeMigrating(database.url);
    const applied = await migrate(database.url, () => say(waitingText));
    const apiUrl = await serve(settings, home, crew, await database.admit());
    hold.update({ apiUrl });
    const { url: databaseUrl, shown } = database;
    return { apiUrl, databaseUrl, database: shown, applied, done: crew.done(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function embeddedDatabase(
  settings: Settings,
  home: Home,
  hold: Hold,
  crew: Crew,
): Promise<Database> {
  const { cluster, port, url } = await startEmbedded(settings, home, crew);
  hold.update({ databasePort: port });
  return {
    url,
    shown: `PostgreSQL ${cluster.version} on port ${port}; its data is kept in ${cluster.dataDir}`,
    admit: async () => {
      // Nobody else uses this server: a new password at each start need not be kept anywhere.
      const password = randomBytes(32).toString("hex");
      await setAuthenticatorPassword(url, password);
      return authenticatorUrl(url, password);
    },
  };
}

function externalDatabase(url: string, password: string | undefined): Database {
  if (password === undefined) {
    throw new RowhouseError(
      "settings_invalid",
      "AUTHENTICATOR_PASSWORD is missing, and DATABASE_URL is set.",
      "Set it: PostgREST signs in as authenticator with it.",
    );
  }
  return {
    url,
    shown: withoutPassword(url),
    admit: async () => {
      await ensureAuthenticator(url, password);
      return authenticatorUrl(url, password);
    },
  };
}

async function serve(
  settings: Settings,
  home: Home,
  crew: Crew,
  databaseUrl: string,
): Promise<string> {
  const options: ApiOptions = {
    ...settledOptions(settings, home),
    binary: findPostgrest(settings.postgrestBin),
    databaseUrl,
    adminPort: await freePort(),
    logFile: home.postgrestLog,
  };
  await crew.add({
    name: "PostgREST",
    program: "postgrest",
    launch: () => launchPostgrest(options),
    ready: (server) => postgrestReady(options, server),
    logFile: home.postgrestLog,
    failure: "postgrest_failed",
  });
  return `http://${loopback}:${settings.apiPort}`;
}
