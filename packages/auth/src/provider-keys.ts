import type { JWK } from "jose";
import type pg from "pg";
import { z } from "zod";
import { AuthError } from "./errors.ts";
import { formatKeySet, type KeyFile, readKeyFile, writeKeyFile } from "./key-file.ts";
import { log } from "./log.ts";
import { isLoopback } from "./loopback.ts";

/** Where the keys of an identity provider are. */
export type KeySource = { readonly issuer: string } | { readonly jwksUrl: string };

/** How long an answer of the provider may take, and how large it may be. */
const limits = { ms: 10_000, bytes: 1_000_000 };

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/**
 * Fetches the public keys of a provider: those of its issuer (OpenID Connect Discovery 1.0), or a JWK
 * set (RFC 7517). Keys to encrypt with are left out, and shared ones, which a published set cannot hold.
 *
 * @throws AuthError provider_keys_failed
 */
export async function fetchProviderKeys(source: KeySource): Promise<JWK[]> {
  const url = "jwksUrl" in source ? source.jwksUrl : await discoverKeys(source.issuer);
  const { keys } = await fetchJson(url, keySet);
  const usable = keys.filter(({ kty, use }) => ["RSA", "EC", "OKP"].includes(kty) && use !== "enc");
  if (usable.length === 0) throw refuse(`${url} holds no key that signs tokens.`);
  return usable as JWK[];
}

/**
 * Fetches the keys, and again as long as it runs; PostgREST reads of a change. While the provider is
 * away, those of the last time stay.
 *
 * @param everyMs How often. PostgREST tells nobody of a key that it does not know, and providers publish
 *   a new key before they sign with it.
 * @returns What ends it.
 * @throws AuthError provider_keys_failed when there are no keys to begin with.
 */
export async function followProviderKeys(
  source: KeySource,
  file: KeyFile,
  pool: pg.Pool,
  everyMs = 60_000,
): Promise<() => void> {
  const update = async () => {
    const set = formatKeySet(await fetchProviderKeys(source), file);
    if (readKeyFile(file) === set) return;
    writeKeyFile(file, set);
    await pool.query("notify pgrst, 'reload config'");
    log("wrote the keys of the provider");
  };
  const isKept = readKeyFile(file) !== undefined;
  await update().catch((error: unknown) => {
    if (!isKept) throw error;
    log(`keeps the keys of the last time: ${String(error)}`);
  });
  const timer = setInterval(
    () => void update().catch((error: unknown) => log(`keeps the keys: ${String(error)}`)),
    everyMs,
  );
  return () => clearInterval(timer);
}

async function discoverKeys(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found = await fetchJson(url, discovery);
  if (found.issuer !== issuer) {
    throw refuse(
      `The provider calls itself ${found.issuer}, and not ${issuer}: set AUTH_ISSUER to that, to the character.`,
    );
  }
  return found.jwks_uri;
}

async function fetchJson<T>(url: string, schema: z.ZodType<T>): Promise<T> {
  assertPrivate(url);
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(limits.ms),
      headers: { Accept: "application/json" },
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const text = await response.text();
    if (text.length > limits.bytes) throw new Error("its answer is too long");
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? "its answer is no such document" : String(error);
    throw refuse(`Cannot read ${url}: ${reason}.`, { cause: error });
  }
}

/** Whoever can change what arrives can sign tokens. */
function assertPrivate(url: string): void {
  const address = new URL(url);
  if (address.protocol === "https:" || isLoopback(address)) return;
  throw refuse(`${url} is not https: its keys could be changed on the way.`);
}

function refuse(message: string, options?: ErrorOptions): AuthError {
  const remedy = "Check AUTH_ISSUER or AUTH_JWKS_URL, and that the provider can be reached.";
  return new AuthError("provider_keys_failed", message, remedy, options);
}
