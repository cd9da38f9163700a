import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { z } from "zod";
import { RowhouseError } from "../lib/errors.ts";
import { openProject, type Project } from "../lib/project.ts";
import { secretFault } from "./jwt-secret.ts";

const text = z.string().optional();
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .refine((value) => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most, {
      error: (issue) => `is "${issue.input}": give a whole number from ${least} to ${most}`,
    })
    .transform(Number);
const port = wholeNumber(1, 65535);
const databaseUrl = z
  .string()
  .refine(isPostgresUrl, { error: "is no URL like postgres://user:password@host:5432/database" })
  .optional();

/** Each variable that the command reads, with its rule. `.env.example` explains each to users. */
const variables = z.object({
  ROWHOUSE_HOME: text.default(".rowhouse"),
  API_PORT: port.prefault("3000"),
  DB_PORT: port.optional(),
  DATABASE_URL: databaseUrl,
  SCRATCH_URL: databaseUrl,
  AUTHENTICATOR_PASSWORD: text,
  IDENTITY_PASSWORD: text,
  AUTH: z.enum(["on", "off"], { error: "must be on or off" }).default("on"),
  AUTH_PORT: port.prefault("3001"),
  AUTH_URL: z
    .url({ protocol: /^https?$/, error: "is no address like https://api.example.com/auth" })
    .refine((url) => !URL.canParse(url) || new URL(url).pathname !== "/", {
      error: "must end in a path: https://api.example.com/auth",
    })
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  AUTH_SECRET: z.string().optional(),
  AUTH_PROVIDERS: text,
  AUTH_PASSKEY_DOMAIN: text,
  AUTH_ISSUER: z.url({ error: "is no address like https://tenant.example.com/" }).optional(),
  AUTH_JWKS_URL: z.url({ error: "is no address like https://example.com/jwks.json" }).optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, "is no URL like smtp://user:password@host:587")
    .optional(),
  MAIL_FROM: text,
  JWT_SECRET: z
    .string()
    .superRefine((secret, context) => {
      const fault = secretFault(secret);
      if (fault) context.addIssue(fault);
    })
    .optional(),
  JWT_AUD: text.default("rowhouse"),
  JWT_ISS: text,
  JWT_ROLE: text,
  JWT_MAX_LIFETIME: wholeNumber(60, 315_360_000).prefault("86400"),
  DB_POOL: wholeNumber(1, 1000).prefault("10"),
  SLOW_MS: wholeNumber(0, 3_600_000).prefault("250"),
  CORS_ORIGINS: z
    .string()
    .refine((list) => list.split(",").every(isOrigin), {
      error: "must list origins like https://app.example.com, separated by commas",
    })
    .optional(),
  POSTGREST_BIN: z
    .string()
    .refine(existsSync, { error: (issue) => `is "${issue.input}", where no file is` })
    .optional(),
});

/** The names of all variables that the command reads. */
export const variableNames = Object.keys(variables.shape);

/** The settings of a stack, from its environment: checked, with defaults filled in. */
export interface Settings {
  /** The project that the settings are of. */
  readonly project: Project;
  /** Absolute path of the folder that holds data, secrets and logs. */
  readonly home: string;
  readonly apiPort: number;
  /** Port of the embedded PostgreSQL; undefined takes any free one. */
  readonly dbPort: number | undefined;
  /** An owner's URL of a PostgreSQL server; undefined means the embedded one. */
  readonly databaseUrl: string | undefined;
  /** A superuser's URL of a server for throwaway databases; undefined means embedded ones. */
  readonly scratchUrl: string | undefined;
  readonly authenticatorPassword: string | undefined;
  /** The password that the sign-in service logs in with; embedded servers get one at each start. */
  readonly identityPassword: string | undefined;
  /** Whether the sign-in service runs beside the API. */
  readonly auth: "on" | "off";
  readonly authPort: number;
  /** The address of the sign-in service, where that is not this machine's; it ends in a path. */
  readonly authUrl: string | undefined;
  /** The secrets of the sign-in service, the newest first; undefined means the one kept in the home. */
  readonly authSecret: string | undefined;
  /** JSON: the OpenID Connect providers that people may sign in with. */
  readonly authProviders: string | undefined;
  /** The domain whose pages share passkeys. */
  readonly passkeyDomain: string | undefined;
  /** The provider whose tokens the API takes, by OpenID Connect's discovery, or by its JWK set. */
  readonly issuer: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
  /** A shared secret, a JWK or a JWK set; undefined means the one kept in the home. */
  readonly jwtSecret: string | undefined;
  readonly jwtAud: string;
  readonly jwtIss: string;
  /** The role of a token that names none; undefined refuses it. */
  readonly jwtRole: string | undefined;
  /** For how long from now on a token may be valid, in seconds. */
  readonly jwtMaxLifetime: number;
  /** The most connections that PostgREST keeps to PostgreSQL. */
  readonly dbPool: number;
  /** From how many milliseconds on a statement is logged as slow, by the embedded server. */
  readonly slowMs: number;
  /** Comma-separated origins that browsers may call from; undefined allows every one. */
  readonly corsOrigins: string | undefined;
  readonly postgrestBin: string | undefined;
}

/**
 * Reads the settings from the environment and the project's `.env`; the environment wins.
 * An empty variable counts as missing.
 *
 * @throws RowhouseError project_missing; settings_invalid, listing every fault at once.
 */
export function readSettings(
  env: NodeJS.ProcessEnv = process.env,
  project: Project = openProject(),
): Settings {
  const given = { ...withoutEmpty(readDotEnv(project)), ...withoutEmpty(env) };
  const parsed = variables.safeParse(given);
  if (!parsed.success)
    throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`));
  const values = parsed.data;
  return {
    project,
    home: resolve(project.root, values.ROWHOUSE_HOME),
    apiPort: values.API_PORT,
    dbPort: values.DB_PORT,
    databaseUrl: values.DATABASE_URL,
    scratchUrl: values.SCRATCH_URL,
    authenticatorPassword: values.AUTHENTICATOR_PASSWORD,
    identityPassword: values.IDENTITY_PASSWORD,
    auth: values.AUTH,
    authPort: values.AUTH_PORT,
    authUrl: values.AUTH_URL,
    authSecret: values.AUTH_SECRET,
    authProviders: values.AUTH_PROVIDERS,
    passkeyDomain: values.AUTH_PASSKEY_DOMAIN,
    issuer: values.AUTH_ISSUER,
    jwksUrl: values.AUTH_JWKS_URL,
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM,
    jwtSecret: values.JWT_SECRET,
    jwtAud: values.JWT_AUD,
    jwtIss: values.JWT_ISS ?? values.AUTH_ISSUER ?? "rowhouse",
    jwtRole: values.JWT_ROLE,
    jwtMaxLifetime: values.JWT_MAX_LIFETIME,
    dbPool: values.DB_POOL,
    slowMs: values.SLOW_MS,
    corsOrigins: values.CORS_ORIGINS,
    postgrestBin: values.POSTGREST_BIN,
  };
}

function invalid(faults: string[]): RowhouseError {
  const message = ["The settings have faults:", ...faults.map((fault) => `  ${fault}`)].join("\n");
  return new RowhouseError(
    "settings_invalid",
    message,
    "Correct them in the environment or in .env; .env.example explains each.",
  );
}

function readDotEnv({ root }: Project): NodeJS.Dict<string> {
  const file = join(root, ".env");
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}

function withoutEmpty(env: NodeJS.Dict<string>): NodeJS.Dict<string> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
}

/** Whether a text is the URL of a PostgreSQL database. */
export function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:/.test(value) && URL.canParse(value) && new URL(value).pathname.length > 1;
}

function isOrigin(value: string): boolean {
  return URL.canParse(value.trim()) && new URL(value.trim()).origin === value.trim();
}
