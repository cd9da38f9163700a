import { randomBytes } from "node:crypto";
import { RowhouseError } from "../lib/errors.ts";
import { findPostgrest } from "./binaries.ts";
import { assertConfFits } from "./check-conf.ts";
import { withoutPassword } from "./database.ts";
import { migrate, waitingText } from "./dbmate.ts";
import { startEmbedded } from "./embedded.ts";
import { findLogin } from "./find-login.ts";
import { type Home, openHome } from "./home.ts";
import { acquireLock, type HomeLock } from "./lock.ts";
import { ensureLogin, identityLogin, loginUrl, setPassword, socketUrl } from "./login.ts";
import { watchMail, watchMailFaults } from "./mail.ts";
import { assertFree, freePort, loopback } from "./ports.ts";
import { socketDirectory } from "./postgres.ts";
import {
  type ApiOptions,
  getApiOptions,
  launchPostgrest,
  postgrestAnswers,
  postgrestReady,
} from "./postgrest.ts";
import { createProcessGroup, type ProcessGroup } from "./process-group.ts";
import type { Settings } from "./settings.ts";
import { findSignIn, launchSignIn, localSignInUrl, signInReady, signInUrl } from "./sign-in.ts";

/** A stack that serves. */
export interface Stack {
  readonly apiUrl: string;
  /** The address of the sign-in service, or that of the identity provider; or why there is none. */
  readonly signIn:
    | { readonly url: string }
    | { readonly provider: string }
    | { readonly offBecause: string };
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
type BeforeMigrating = (databaseUrl: string) => Promise<void>;

/** Takes what happens, a line at a time. */
export type Report = (line: string) => void;

/** What a start may be given. */
export interface StartOptions {
  readonly beforeMigrating?: BeforeMigrating;
  /** Interrupts the start: what runs already is stopped. */
  readonly signal?: AbortSignal;
}

/** A database that is up: its owner's URL, and how a server gets a URL to log in with. */
interface Database {
  readonly url: string;
  readonly shown: string;
  readonly logIn: (role: string) => Promise<string>;
  /** Of its Unix socket, where it is on this machine and has one. */
  readonly socketDirectory?: string | undefined;
}

/**
 * Starts everything: PostgreSQL (unless DATABASE_URL names one), migrations, PostgREST.
 * When a step fails or is interrupted, what was started before it is stopped again.
 *
 * @throws RowhouseError with the code of the step that failed.
 */
export async function startStack(
  settings: Settings,
  report: Report,
  { beforeMigrating = async () => {}, signal }: StartOptions = {},
): Promise<Stack> {
  const home = openHome(settings.home);
  const interrupted = interruption(signal);
  const lock = await lockUnless(interrupted, home);
  const group = createProcessGroup(lock, report);
  let endMail = () => {};
  const stop = async () => {
    endMail();
    await group.stop();
    await lock.release();
  };
  const startAll = async (): Promise<Stack> => {
    await assertFree(settings.apiPort, "API_PORT");
    const database = settings.databaseUrl
      ? externalDatabase(settings.databaseUrl, settings)
      : await embeddedDatabase(settings, home, lock, group);
    await beforeMigrating(database.url);
    const applied = await migrate(
      database.url,
      () => report(waitingText),
      settings.project.migrationsDir,
    );
    await assertConfFits(database.url, settings.project, settings.jwtRole, report);
    // Before the service tries the mail server.
    if (settings.smtpUrl !== undefined) endMail = watchMailFaults(home.authLog, report);
    const login = await findLogin(database.url, settings.project);
    const signIn = await serveSignIn(settings, home, lock, group, { ...database, login });
    if ("url" in signIn && settings.smtpUrl === undefined) {
      endMail = watchMail(home.mailDir, report);
    }
    const keys = "offBecause" in signIn ? {} : { jwtSecret: `@${home.keysFile}` };
    const apiLogin = await database.logIn(login);
    const apiDatabaseUrl = database.socketDirectory
      ? socketUrl(apiLogin, database.socketDirectory)
      : apiLogin;
    const apiUrl = await serve(settings, home, group, apiDatabaseUrl, keys);
    lock.update({ apiUrl });
    const { url: databaseUrl, shown } = database;
    return { apiUrl, signIn, databaseUrl, database: shown, applied, done: group.done(), stop };
  };
  const starting = startAll();
  try {
    return await Promise.race([starting, interrupted]);
  } catch (error) {
    endMail();
    await group.stop();
    // It ends with its PostgreSQL; a step on a server elsewhere can take as long as that likes.
    if (!settings.databaseUrl) await Promise.allSettled([starting]);
    await lock.release();
    throw error;
  }
}

/** Locks the home; of a start that is interrupted meanwhile no lock stays. */
async function lockUnless(interrupted: Promise<never>, home: Home): Promise<HomeLock> {
  const locking = acquireLock(home, "end");
  return Promise.race([locking, interrupted]).catch((error: unknown) => {
    // Of the two failures the first one is reported.
    locking.then((lock) => lock.release()).catch(() => {});
    throw error;
  });
}

/** Rejects when the signal comes; without one it waits for ever. */
function interruption(signal?: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal?.aborted) reject(signal.reason);
  });
  promise.catch(() => {}); // Handled where it is raced, which may be over.
  return promise;
}

async function embeddedDatabase(
  settings: Settings,
  home: Home,
  lock: HomeLock,
  group: ProcessGroup,
): Promise<Database> {
  const { cluster, port, url } = await startEmbedded(settings, home, group, "end");
  lock.update({ databasePort: port });
  const urls = new Map<string, string>();
  return {
    url,
    socketDirectory: socketDirectory(cluster),
    shown: `PostgreSQL ${cluster.version} on port ${port}; its data is kept in ${cluster.dataDir}`,
    logIn: async (role) => {
      const known = urls.get(role);
      if (known !== undefined) return known;
      // No one else uses this server: a new password at each start need not be kept anywhere.
      const password = randomBytes(32).toString("hex");
      await setPassword(url, role, password);
      const roleUrl = loginUrl(url, role, password);
      urls.set(role, roleUrl);
      return roleUrl;
    },
  };
}

function externalDatabase(url: string, settings: Settings): Database {
  const { authenticatorPassword, identityPassword = "" } = settings;
  if (authenticatorPassword === undefined) {
    throw new RowhouseError(
      "settings_invalid",
      "AUTHENTICATOR_PASSWORD is missing, and DATABASE_URL is set.",
      "Set it: PostgREST's role (authenticator) signs in with it.",
    );
  }
  return {
    url,
    shown: withoutPassword(url),
    logIn: async (role) => {
      const [password, variable] =
        role === identityLogin
          ? [identityPassword, "IDENTITY_PASSWORD"]
          : [authenticatorPassword, "AUTHENTICATOR_PASSWORD"];
      await ensureLogin(url, role, password, variable);
      return loginUrl(url, role, password);
    },
  };
}

/** Before PostgREST, which reads the keys that the service writes. */
async function serveSignIn(
  settings: Settings,
  home: Home,
  lock: HomeLock,
  group: ProcessGroup,
  database: Database & { readonly login: string },
): Promise<Stack["signIn"]> {
  const found = await findSignIn(settings, database.url);
  if ("offBecause" in found) return found;
  await assertFree(settings.authPort, "AUTH_PORT");
  const databaseUrl = await database.logIn(found.role ?? database.login);
  const { jwtSecret } = getApiOptions(settings, home);
  await group.add({
    name: "The sign-in service",
    program: "node",
    launch: () => launchSignIn(found.program, settings, home, databaseUrl, jwtSecret),
    ready: (server) => signInReady(settings, home, server),
    logFile: home.authLog,
    failure: "sign_in_failed",
  });
  if (found.provider !== undefined) {
    lock.update({ provider: found.provider });
    return { provider: found.provider };
  }
  lock.update({ signInUrl: localSignInUrl(settings) });
  return { url: signInUrl(settings) };
}

async function serve(
  settings: Settings,
  home: Home,
  group: ProcessGroup,
  databaseUrl: string,
  keys: Partial<ApiOptions>,
): Promise<string> {
  const options: ApiOptions = {
    ...getApiOptions(settings, home),
    ...keys,
    binary: findPostgrest(settings.postgrestBin),
    configFile: settings.project.postgrestConf,
    databaseUrl,
    adminPort: await freePort(),
    logFile: home.postgrestLog,
  };
  await group.add({
    name: "PostgREST",
    program: "postgrest",
    launch: () => launchPostgrest(options),
    ready: (server) => postgrestReady(options, server),
    ask: (signal) => postgrestAnswers(options, signal),
    logFile: home.postgrestLog,
    failure: "postgrest_failed",
  });
  return `http://${loopback}:${settings.apiPort}`;
}
