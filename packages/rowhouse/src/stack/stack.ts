import { randomBytes } from "node:crypto";
import { RowhouseError } from "../lib/errors.ts";
import {
  authenticatorUrl,
  ensureAuthenticator,
  setAuthenticatorPassword,
} from "./authenticator.ts";
import { findPostgrest } from "./binaries.ts";
import { assertConfFits } from "./check-conf.ts";
import { withoutPassword } from "./database.ts";
import { migrate, waitingText } from "./dbmate.ts";
import { startEmbedded } from "./embedded.ts";
import { type Home, openHome } from "./home.ts";
import { acquireLock, type HomeLock } from "./lock.ts";
import { assertFree, freePort, loopback } from "./ports.ts";
import { type ApiOptions, getApiOptions, launchPostgrest, postgrestReady } from "./postgrest.ts";
import { createProcessGroup, type ProcessGroup } from "./process-group.ts";
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

/** Takes what happens, a line at a time. */
export type Report = (line: string) => void;

/** A database that is up: its owner's URL, and what PostgREST signs in with. */
interface Database {
  readonly url: string;
  readonly shown: string;
  readonly connectAuthenticator: () => Promise<string>;
}

/**
 * Starts everything: PostgreSQL (unless DATABASE_URL names one), migrations, PostgREST.
 * When a step fails, what was started before it is stopped again.
 *
 * @throws RowhouseError with the code of the step that failed.
 */
export async function startStack(
  settings: Settings,
  report: Report,
  beforeMigrating: BeforeMigrating = async () => {},
): Promise<Stack> {
  const home = openHome(settings.home);
  const lock = await acquireLock(home);
  const group = createProcessGroup(lock, report);
  const stop = async () => {
    await group.stop();
    await lock.release();
  };
  try {
    await assertFree(settings.apiPort, "API_PORT");
    const database = settings.databaseUrl
      ? externalDatabase(settings.databaseUrl, settings.authenticatorPassword)
      : await embeddedDatabase(settings, home, lock, group);
    await beforeMigrating(database.url);
    const applied = await migrate(database.url, () => report(waitingText));
    await assertConfFits(database.url, settings.project.postgrestConf, report);
    const apiUrl = await serve(settings, home, group, await database.connectAuthenticator());
    lock.update({ apiUrl });
    const { url: databaseUrl, shown } = database;
    return { apiUrl, databaseUrl, database: shown, applied, done: group.done(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function embeddedDatabase(
  settings: Settings,
  home: Home,
  lock: HomeLock,
  group: ProcessGroup,
): Promise<Database> {
  const { cluster, port, url } = await startEmbedded(settings, home, group);
  lock.update({ databasePort: port });
  return {
    url,
    shown: `PostgreSQL ${cluster.version} on port ${port}; its data is kept in ${cluster.dataDir}`,
    connectAuthenticator: async () => {
      // No one else uses this server: a new password at each start need not be kept anywhere.
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
    connectAuthenticator: async () => {
      await ensureAuthenticator(url, password);
      return authenticatorUrl(url, password);
    },
  };
}

async function serve(
  settings: Settings,
  home: Home,
  group: ProcessGroup,
  databaseUrl: string,
): Promise<string> {
  const options: ApiOptions = {
    ...getApiOptions(settings, home),
    binary: findPostgrest(settings.postgrestBin),
    databaseUrl,
    adminPort: await freePort(),
    logFile: home.postgrestLog,
  };
  await group.add({
    name: "PostgREST",
    program: "postgrest",
    launch: () => launchPostgrest(options),
    ready: (server) => postgrestReady(options, server),
    logFile: home.postgrestLog,
    failure: "postgrest_failed",
  });
  return `http://${loopback}:${settings.apiPort}`;
}
