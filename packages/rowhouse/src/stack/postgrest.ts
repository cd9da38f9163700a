import { RowhouseError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import { type Home, jwtSecret } from "./home.ts";
import { loopback } from "./ports.ts";
import { lastLines, launch, type Server } from "./process.ts";
import type { Settings } from "./settings.ts";

/** The settings of PostgREST. */
export interface ApiOptions {
  readonly binary: string;
  /** URL of the database, as authenticator. */
  readonly databaseUrl: string;
  readonly port: number;
  /** Port of `/live` and `/ready`. */
  readonly adminPort: number;
  readonly jwtSecret: string;
  readonly jwtAud: string;
  readonly jwtIss: string;
  readonly pool: number;
  readonly maxRows: number;
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
    pool: settings.dbPool,
    maxRows: settings.maxRows,
    corsOrigins: settings.corsOrigins,
  };
}

const startLimitMs = 20_000;

/** Starts PostgREST. */
export async function launchPostgrest(options: ApiOptions): Promise<Server> {
  const { binary, logFile } = options;
  return launch({ command: binary, args: [], env: environment(options), logFile }, "SIGTERM");
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

/** Only what is set here reaches PostgREST: PGRST_* and PG* of the user's shell do not. */
function environment(options: ApiOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PG"));
  return {
    ...Object.fromEntries(inherited),
    ...apiVariables(options),
  };
}

/** The PGRST_* variables that PostgREST is started with. */
export function apiVariables(
  options: Omit<ApiOptions, "binary" | "logFile">,
): Record<string, string> {
  return {
    PGRST_DB_URI: options.databaseUrl,
    PGRST_DB_SCHEMAS: "api",
    PGRST_DB_EXTRA_SEARCH_PATH: "",
    PGRST_DB_ANON_ROLE: "anonymous",
    PGRST_DB_PRE_REQUEST: "request.door",
    PGRST_DB_POOL: String(options.pool),
    PGRST_DB_MAX_ROWS: String(options.maxRows),
    PGRST_JWT_SECRET: options.jwtSecret,
    PGRST_APP_SETTINGS_JWT_AUD: options.jwtAud,
    PGRST_APP_SETTINGS_JWT_ISS: options.jwtIss,
    PGRST_SERVER_HOST: loopback,
    PGRST_SERVER_PORT: String(options.port),
    PGRST_ADMIN_SERVER_PORT: String(options.adminPort),
    PGRST_OPENAPI_SERVER_PROXY_URI: `http://${loopback}:${options.port}`,
    PGRST_OPENAPI_SECURITY_ACTIVE: "true",
    PGRST_LOG_LEVEL: "error",
    // Every response repeats it, an error too.
    PGRST_SERVER_TRACE_HEADER: "X-Request-Id",
    ...(options.corsOrigins ? { PGRST_SERVER_CORS_ALLOWED_ORIGINS: options.corsOrigins } : {}),
    ...options.extra,
  };
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
