import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { withClient } from "./database.ts";
import { authSecret, type Home } from "./home.ts";
import { identityLogin } from "./login.ts";
import { loopback } from "./ports.ts";
import { environmentWithoutPg, lastLines, launch, type Server } from "./process.ts";
import type { Settings } from "./settings.ts";

/**
 * Whether the sign-in service runs, from where, and the role that it logs in as; or why it does not.
 * With an identity provider it only fetches the keys of that.
 */
export type SignIn =
  | {
      readonly program: string /** Undefined is that of PostgREST. */;
      readonly role?: string;
      readonly provider?: string;
    }
  | { readonly offBecause: string };

const startLimitMs = 20_000;

/** Finds out whether the sign-in service can run on a database. */
export async function findSignIn(settings: Settings, databaseUrl: string): Promise<SignIn> {
  if (settings.auth === "off") return { offBecause: "AUTH=off" };
  const program = findProgram(settings);
  if (program === undefined) return { offBecause: "run `npm install @rowhouse/auth`" };
  const provider = settings.issuer ?? settings.jwksUrl;
  if (provider !== undefined) return { program, provider };
  if (!(await hasIdentitySchema(databaseUrl))) {
    return { offBecause: "the database has no schema identity: see docs/sign-in.md" };
  }
  if (settings.databaseUrl && settings.identityPassword === undefined) {
    return { offBecause: "IDENTITY_PASSWORD is not set" };
  }
  return { program, role: identityLogin };
}

/** The address at which browsers of this machine reach the service. */
export function signInUrl(settings: Settings): string {
  return settings.authUrl ?? `http://${loopback}:${settings.authPort}/auth`;
}

/** The address of the service on this machine, where no proxy is in between. */
export function localSignInUrl(settings: Settings): string {
  return `http://${loopback}:${settings.authPort}${new URL(signInUrl(settings)).pathname}`;
}

/** Starts the sign-in service. */
export async function launchSignIn(
  program: string,
  settings: Settings,
  home: Home,
  databaseUrl: string,
  jwtSecret: string,
): Promise<Server> {
  return launch(
    {
      command: process.execPath,
      args: [program],
      logFile: home.authLog,
      env: signInVariables(settings, home, databaseUrl, jwtSecret),
    },
    "SIGTERM",
  );
}

/** The environment of the service's program. */
export function signInVariables(
  settings: Settings,
  home: Home,
  databaseUrl: string,
  jwtSecret: string,
): NodeJS.ProcessEnv {
  return {
    ...environmentWithoutPg(),
    AUTH_PORT: String(settings.authPort),
    AUTH_URL: signInUrl(settings),
    AUTH_SECRET: settings.authSecret ?? authSecret(home),
    AUTH_DATABASE_URL: databaseUrl,
    AUTH_KEYS_FILE: home.keysFile,
    AUTH_MAIL_DIR: home.mailDir,
    AUTH_ORIGINS: settings.corsOrigins ?? "",
    AUTH_ISSUER: settings.issuer ?? "",
    AUTH_JWKS_URL: settings.jwksUrl ?? "",
    AUTH_PROVIDERS: settings.authProviders ?? "",
    AUTH_PASSKEY_DOMAIN: settings.passkeyDomain ?? "",
    SMTP_URL: settings.smtpUrl ?? "",
    MAIL_FROM: settings.mailFrom ?? "",
    JWT_SECRET: jwtSecret,
    JWT_AUD: settings.jwtAud,
    JWT_ISS: settings.jwtIss,
  };
}

/**
 * Waits until the sign-in service answers. By then it has written the keys for PostgREST.
 *
 * @throws RowhouseError sign_in_failed, with the last lines of its log, when it does not.
 */
export async function signInReady(settings: Settings, home: Home, server: Server): Promise<void> {
  const ready = await waitFor<true | string>(
    async () => server.end() ?? ((await signInAnswers(localSignInUrl(settings))) || undefined),
    25,
    startLimitMs,
  );
  if (ready === true) return;
  await server.stop();
  throw new RowhouseError(
    "sign_in_failed",
    `The sign-in service did not start: ${ready ?? `not ready within ${startLimitMs / 1000} s`}. The end of ${home.authLog}:\n${lastLines(home.authLog)}`,
    "See the log, or turn it off with AUTH=off.",
  );
}

/** The program of the package that the project has installed; else of one beside this package. */
function findProgram({ project }: Settings): string | undefined {
  for (const from of [join(project.root, "package.json"), import.meta.filename]) {
    try {
      const program = createRequire(from).resolve("@rowhouse/auth/main");
      if (existsSync(program)) return program;
    } catch {
      // Not installed here.
    }
  }
  return undefined;
}

async function hasIdentitySchema(databaseUrl: string): Promise<boolean> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(
      "select to_regclass('identity.signing_keys') is not null as found",
    );
    return rows[0]?.found === true;
  });
}

/**
 * Whether the service answers, and reaches its database.
 *
 * @param url As in `localSignInUrl`.
 */
export async function signInAnswers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false; // Not listening yet, or not answering.
  }
}
