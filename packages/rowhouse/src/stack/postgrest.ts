import { availableParallelism } from "node:os";
import { RowhouseError } from "../lib/errors.ts";
import { openProject } from "../lib/project.ts";
import { waitFor } from "../lib/wait.ts";
import { type Home, jwtSecret } from "./home.ts";
import { loopback } from "./ports.ts";
import { environmentWithoutPg, lastLines, launch, type Server } from "./process.ts";
import type { Settings } from "./settings.ts";

/** The settings of PostgREST beside postgrest.conf. */
export interface ApiOptions {
  readonly binary: string;
  /** The configuration file; the project's postgrest.conf by default. */
  readonly configFile?: string;
  /** URL of the database, as authenticator. */
  readonly databaseUrl: string;
  readonly port: number;
  /** Port of `/live` and `/ready`. */
  readonly adminPort: number;
  readonly jwtSecret: string;
  readonly jwtAud: string;
  readonly jwtIss: string;
  readonly jwtRole?: string | undefined;
  /** For how long from now on a token may be valid, in seconds; a day unless it is given. */
  readonly jwtMaxLifetime?: number;
  readonly pool: number;
  /** Wins over db-max-rows in postgrest.conf. */
  readonly maxRows?: number | undefined;
  readonly corsOrigins?: string | undefined;
  readonly logFile: string;
  /** Further PGRST_* variables; they win. */
  readonly extra?: Record<string, string>;
}

/** The part of PostgREST's settings that comes from ours; the rest is chosen at each start. */
export function getApiOptions(settings: Settings, home: Home) {
  return {
    port: settings.apiPort,
    jwtSecret: settings.jwtSecret ?? jwtSecret(home),
    jwtAud: settings.jwtAud,
    jwtIss: settings.jwtIss,
    jwtRole: settings.jwtRole,
    jwtMaxLifetime: settings.jwtMaxLifetime,
    pool: settings.dbPool,
    corsOrigins: settings.corsOrigins,
  };
}

const startLimitMs = 20_000;

/** Starts PostgREST with the project's postgrest.conf. */
export async function launchPostgrest(options: ApiOptions): Promise<Server> {
  const { binary, logFile, configFile = openProject().postgrestConf } = options;
  // Where it cannot log an error, it answers a plain 500 in the error's place.
  const log = { logFile, relayLog: true } as const;
  return launch(
    { command: binary, args: [configFile], env: environment(options), ...log },
    "SIGTERM",
  );
}

/**
 * Waits until PostgREST has loaded the schema.
 *
 * @throws RowhouseError postgrest_failed, with the last lines of its log, when it does not.
 */
export async function postgrestReady(
  { adminPort, logFile }: Pick<ApiOptions, "adminPort" | "logFile">,
  server: Server,
): Promise<void> {
  const ready = await waitFor<true | string>(
    () => server.end() ?? isReady(adminPort),
    25,
    startLimitMs,
  );
  if (ready === true) return;
  await server.stop();
  throw new RowhouseError(
    "postgrest_failed",
    `PostgREST did not start: ${ready ?? `not ready within ${startLimitMs / 1000} s`}. The end of ${logFile}:\n${lastLines(logFile)}`,
    "See the log.",
  );
}

/**
 * Resolves when PostgREST answers, whether its database does or not.
 *
 * @throws Error when it does not, or the signal comes.
 */
export async function postgrestAnswers(
  { adminPort }: Pick<ApiOptions, "adminPort">,
  signal: AbortSignal,
): Promise<void> {
  await fetch(`http://${loopback}:${adminPort}/live`, { signal });
}

function environment(options: ApiOptions): NodeJS.ProcessEnv {
  return { GHCRTS: runtimeOptions(), ...environmentWithoutPg(), ...apiVariables(options) };
}

/** PostgREST's own threads do not pay beyond these. */
const mostCores = 8;

/**
 * For the runtime of PostgREST, a Haskell program: it collects garbage each 16 MiB for each core that it
 * uses, and not each 4, and it uses half of the cores, since PostgreSQL needs as much. With all of them
 * its threads wait for each other: a fifth more CPU for a list on two cores (docs/performance.md).
 * https://downloads.haskell.org/ghc/latest/docs/users_guide/runtime_control.html
 */
function runtimeOptions(): string {
  const cores = Math.min(mostCores, Math.max(1, Math.floor(availableParallelism() / 2)));
  return `-A16m -n2m -N${cores}`;
}

/**
 * The PGRST_* variables that PostgREST is started with; they win over postgrest.conf. Those of the
 * environment win over the settings, but for the addresses and the secret: commands rely on these.
 */
export function apiVariables(
  options: Omit<ApiOptions, "binary" | "logFile">,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return {
    PGRST_DB_POOL: String(options.pool),
    PGRST_OPENAPI_SERVER_PROXY_URI: `http://${loopback}:${options.port}`,
    ...(options.corsOrigins ? { PGRST_SERVER_CORS_ALLOWED_ORIGINS: options.corsOrigins } : {}),
    ...postgrestVariables(env),
    ...(options.maxRows === undefined ? {} : { PGRST_DB_MAX_ROWS: String(options.maxRows) }),
    PGRST_DB_URI: options.databaseUrl,
    PGRST_JWT_SECRET: options.jwtSecret,
    PGRST_APP_SETTINGS_JWT_AUD: options.jwtAud,
    PGRST_APP_SETTINGS_JWT_ISS: options.jwtIss,
    PGRST_APP_SETTINGS_JWT_ROLE: options.jwtRole ?? "",
    PGRST_APP_SETTINGS_JWT_MAX_LIFETIME: String(options.jwtMaxLifetime ?? 86_400),
    PGRST_SERVER_HOST: loopback,
    PGRST_SERVER_PORT: String(options.port),
    PGRST_ADMIN_SERVER_PORT: String(options.adminPort),
    ...options.extra,
  };
}

/** An empty one is left out: PostgREST would take its own default and not the file's value. */
function postgrestVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[0].startsWith("PGRST_") && !!entry[1],
    ),
  );
}

async function isReady(adminPort: number): Promise<true | undefined> {
  try {
    // While PostgREST tries to reach its database again, it can take minutes to answer.
    const signal = AbortSignal.timeout(2000);
    const answer = await fetch(`http://${loopback}:${adminPort}/ready`, { signal });
    return answer.ok ? true : undefined;
  } catch {
    return undefined; // Not listening yet, or not answering.
  }
}
