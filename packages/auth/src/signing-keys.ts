import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import { generateExportedKeyPair } from "better-auth/plugins/jwt";
import { importJWK, type JWK, SignJWT } from "jose";
import type pg from "pg";
import type { Auth } from "./auth.ts";
import { lifetimes } from "./auth.ts";
import { writeKeyFile } from "./key-file.ts";
import type { AuthSettings } from "./settings.ts";

/** What handles keys stands on. */
export interface KeyContext {
  readonly auth: Auth;
  readonly pool: pg.Pool;
  readonly settings: AuthSettings;
}

/** PostgREST takes tokens for 30 s after their end: the clocks of machines differ. */
const skewSeconds = 30;

/** Makes the first key when there is none, and writes the key set. */
export async function prepareKeys(context: KeyContext): Promise<void> {
  const { rows } = await context.pool.query("select from identity.signing_keys limit 1");
  if (rows.length === 0) await addKey(context, "now");
  await publishKeys(context);
}

/**
 * Adds a key.
 *
 * @param signsSince "now", or "never" for one that PostgREST is only to learn of.
 * @returns Its id, which tokens name as `kid`.
 */
export async function addKey(
  { auth, pool }: KeyContext,
  signsSince: "now" | "never",
): Promise<string> {
  const { secretConfig } = await auth.$context;
  const { publicWebKey, privateWebKey, alg } = await generateExportedKeyPair({
    jwks: { keyPairConfig: { alg: "ES256" } },
  });
  const encrypted = await symmetricEncrypt({
    key: secretConfig,
    data: JSON.stringify(privateWebKey),
  });
  const { rows } = await pool.query<{ id: string }>(
    `insert into identity.signing_keys (public_key, private_key, alg, crv, created_at)
     values ($1, $2, $3, 'P-256', $4)
     returning id`,
    [
      JSON.stringify(publicWebKey),
      JSON.stringify(encrypted),
      alg,
      signsSince === "now" ? new Date() : new Date(0),
    ],
  );
  return rows[0]?.id ?? "";
}

/** Lets a published key sign, and those before it end with the last tokens that they have signed. */
export async function promoteKey({ pool }: KeyContext, id: string): Promise<void> {
  await pool.query(
    `with old as (
       update identity.signing_keys
       set expires_at = now() + $2 * interval '1 second'
       where id <> $1
       and expires_at is null
     )
     update identity.signing_keys
     set created_at = now()
     where id = $1`,
    [id, lifetimes.token + skewSeconds],
  );
}

/** Removes keys whose last token has ended; returns whether there were any. */
export async function removeEndedKeys({ pool }: KeyContext): Promise<boolean> {
  const { rowCount } = await pool.query(
    "delete from identity.signing_keys where expires_at < now()",
  );
  return (rowCount ?? 0) > 0;
}

/** Removes all keys but one: tokens that they have signed are refused once PostgREST has started again. */
export async function removeOtherKeys({ pool }: KeyContext, id: string): Promise<void> {
  await pool.query("delete from identity.signing_keys where id <> $1", [id]);
}

/** Writes the set of public keys for PostgREST, and tells it to read the file again. */
export async function publishKeys({ pool, settings }: KeyContext): Promise<void> {
  const { rows } = await pool.query<{ id: string; public_key: string }>(
    "select id, public_key from identity.signing_keys order by created_at",
  );
  const keys = rows.map(({ id, public_key }) => ({
    ...(JSON.parse(public_key) as JWK),
    kid: id,
    alg: "ES256",
    use: "sig",
  }));
  await writeKeyFile({ path: settings.keysFile, jwtSecret: settings.jwtSecret }, keys, pool);
}

/** A token that no user has, signed with a key: whether PostgREST knows the key shows in its refusal. */
export async function signProbe({ auth, pool }: KeyContext, id: string): Promise<string> {
  const { rows } = await pool.query<{ private_key: string }>(
    "select private_key from identity.signing_keys where id = $1",
    [id],
  );
  const { secretConfig } = await auth.$context;
  const decrypted = await symmetricDecrypt({
    key: secretConfig,
    data: JSON.parse(rows[0]?.private_key ?? "null"),
  });
  const key = await importJWK(JSON.parse(decrypted), "ES256");
  return new SignJWT({ role: "anonymous" })
    .setProtectedHeader({ alg: "ES256", kid: id })
    .setExpirationTime("1m")
    .sign(key);
}
