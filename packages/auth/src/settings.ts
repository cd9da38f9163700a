import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { AuthError } from "./errors.ts";
import type { KeyFile } from "./key-file.ts";
import type { KeySource } from "./provider-keys.ts";

/** A provider of identities that people may sign in with, by OpenID Connect. */
interface Provider {
  /** Its name in addresses: "google". */
  readonly id: string;
  /** Below which `/.well-known/openid-configuration` stands. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The settings of the service, checked and with defaults filled in. */
export interface AuthSettings {
  readonly host: string;
  readonly port: number;
  /** The address that people's browsers reach, ending in the path: http://127.0.0.1:3001/auth */
  readonly url: URL;
  /** Signs sessions and encrypts the signing keys. The first is used; the others still count. */
  readonly secrets: readonly [string, ...string[]];
  /** URL of the database, as identity_service. */
  readonly databaseUrl: string;
  /** The origins of pages; undefined allows those of this machine, and no other. */
  readonly origins: readonly string[] | undefined;
  /** Where the public keys are written for PostgREST. */
  readonly keyFile: KeyFile;
  /** Where PostgREST answers, for a rotation of the keys. */
  readonly apiUrl: string | undefined;
  readonly jwtAud: string;
  readonly jwtIss: string;
  /** How mail is sent; undefined keeps it in `mailDir` and prints its link. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly mailDir: string | undefined;
  readonly providers: readonly Provider[];
  /** The domain whose pages share passkeys; undefined gives each host its own. */
  readonly passkeyDomain: string | undefined;
  /** The addresses or networks of the proxies whose X-Forwarded-For counts. */
  readonly proxies: readonly string[];
}

const list = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .pipe(z.array(z.string().min(1)));

const secret = z.string().min(32, "must be at least 32 characters: `openssl rand -hex 32`");

const provider = z.object({
  id: z.string().regex(/^[a-z0-9-]+$/, "must be of a-z, 0-9 and -"),
  issuer: z.url(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
});

/** The settings where the tokens come from a provider. */
export interface ProviderSettings {
  readonly host: string;
  readonly port: number;
  readonly source: KeySource;
  /** URL of the database, as any role that can connect. */
  readonly databaseUrl: string;
  readonly keyFile: KeyFile;
}

const common = z.object({
  AUTH_HOST: z.string().default("127.0.0.1"),
  AUTH_PORT: z.coerce.number().int().min(1).max(65535).default(3001),
  AUTH_DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "is no URL like postgres://…"),
  AUTH_KEYS_FILE: z.string(),
  JWT_SECRET: z.string().optional(),
});

const providerVariables = common.extend({
  AUTH_ISSUER: z.url().optional(),
  AUTH_JWKS_URL: z.url().optional(),
});

const variables = common.extend({
  AUTH_URL: z
    .url({ protocol: /^https?$/, error: "is no address like https://api.example.com/auth" })
    .refine(
      (url) => !URL.canParse(url) || new URL(url).pathname !== "/",
      "must end in a path: https://api.example.com/auth",
    )
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  AUTH_SECRET: list.pipe(z.tuple([secret], secret)),
  AUTH_ORIGINS: list.pipe(z.array(z.string().refine(isOrigin, "is no origin"))).optional(),
  AUTH_API_URL: z.url().optional(),
  AUTH_PROXIES: list.optional(),
  AUTH_PROVIDERS: z
    .string()
    .transform(parseJson)
    .pipe(z.array(provider, "must be a JSON array of providers"))
    .optional(),
  AUTH_PASSKEY_DOMAIN: z.hostname("is no domain like example.com").toLowerCase().optional(),
  AUTH_MAIL_DIR: z.string().optional(),
  JWT_AUD: z.string().default("rowhouse"),
  JWT_ISS: z.string().default("rowhouse"),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, "is no URL like smtp://user:password@host:587")
    .optional(),
  MAIL_FROM: z.string().default("Rowhouse <no-reply@localhost>"),
});

/**
 * Reads the settings from the environment. An empty variable counts as missing; one whose name ends
 * in _FILE names a file that holds the value, as Docker's secrets do.
 *
 * @throws AuthError settings_invalid, which lists every fault.
 */
export function readAuthSettings(env: NodeJS.ProcessEnv = process.env): AuthSettings {
  const values = parse(variables, env);
  return {
    host: values.AUTH_HOST,
    port: values.AUTH_PORT,
    url: new URL(values.AUTH_URL ?? `http://127.0.0.1:${values.AUTH_PORT}/auth`),
    secrets: [...new Set(values.AUTH_SECRET)] as [string, ...string[]],
    databaseUrl: values.AUTH_DATABASE_URL,
    origins: values.AUTH_ORIGINS,
    keyFile: { path: values.AUTH_KEYS_FILE, jwtSecret: values.JWT_SECRET },
    apiUrl: values.AUTH_API_URL,
    jwtAud: values.JWT_AUD,
    jwtIss: values.JWT_ISS,
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM,
    mailDir: values.AUTH_MAIL_DIR,
    providers: values.AUTH_PROVIDERS ?? [],
    passkeyDomain: values.AUTH_PASSKEY_DOMAIN,
    proxies: values.AUTH_PROXIES ?? [],
  };
}

/**
 * The same where tokens come from a provider (AUTH_ISSUER or AUTH_JWKS_URL); undefined where they do not.
 *
 * @throws AuthError settings_invalid, which lists every fault.
 */
export function readProviderSettings(
  env: NodeJS.ProcessEnv = process.env,
): ProviderSettings | undefined {
  if (!env.AUTH_ISSUER && !env.AUTH_JWKS_URL) return undefined;
  const values = parse(providerVariables, env);
  const { AUTH_ISSUER: issuer = "", AUTH_JWKS_URL: jwksUrl } = values;
  return {
    host: values.AUTH_HOST,
    port: values.AUTH_PORT,
    source: jwksUrl === undefined ? { issuer } : { jwksUrl },
    databaseUrl: values.AUTH_DATABASE_URL,
    keyFile: { path: values.AUTH_KEYS_FILE, jwtSecret: values.JWT_SECRET },
  };
}

function parse<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  const parsed = schema.safeParse(withFiles(env));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
  throw new AuthError(
    "settings_invalid",
    `The settings have faults:\n  ${faults.join("\n  ")}`,
    "Correct them in the environment.",
  );
}

function withFiles(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]);
  const fromFiles = given
    .filter(
      ([name, file]) => name.endsWith("_FILE") && name !== "AUTH_KEYS_FILE" && existsSync(file),
    )
    .map(([name, file]) => [name.slice(0, -"_FILE".length), readFileSync(file, "utf8").trim()]);
  return { ...Object.fromEntries(given), ...Object.fromEntries(fromFiles) };
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("is no JSON");
    return z.NEVER;
  }
}
