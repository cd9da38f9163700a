import { generateExportedKeyPair } from "better-auth/plugins/jwt";
import { importJWK, type JWK, SignJWT } from "jose";
import type pg from "pg";
import { lifetimes } from "./auth.ts";
import { AuthError } from "./errors.ts";
import { formatKeySet, holdsFurtherKeys, readKeyFile, writeKeyFile } from "./key-file.ts";
import { decrypt, encrypt } from "./secrets.ts";
import type { AuthSettings } from "./settings.ts";

/** What handles keys stands on. */
export interface KeyContext {
  readonly pool: pg.Pool;
  readonly settings: AuthSettings;
}

/** A key, without its private part. */
export interface SigningKey {
  readonly id: string;
  /** "signs"; "ends": tokens that it has signed still work; "published": PostgREST may not know it yet. */
  readonly state: "signs" | "ends" | "published";
  /** Since when it signs. */
  readonly since: Date | undefined;
  /** When the last token that it has signed ends. */
  readonly until: Date | undefined;
}

/** PostgREST takes tokens for 30 s after their end: the clocks of machines differ. */
const skewSeconds = 30;

/**
 * Makes the first key when there is none, and writes the key set.
 *
 * @throws AuthError secret_unknown when no secret decrypts the key that signs.
 */
export async function prepareKeys(context: KeyContext): Promise<void> {
  await removeEndedKeys(context);
  if (!(await readSigningKey(context))) await addKey(context, "now");
  await publishKeys(context);
}

/**
 * Makes sure that a command has the settings of the service: with others it would write a set that
 * PostgREST must not read, and a key that the service cannot.
 *
 * @throws AuthError secret_unknown, settings_differ
 */
export async function assertServiceSettings(context: KeyContext): Promise<void> {
  const { keyFile } = context.settings;
  await readSigningKey(context);
  if (holdsFurtherKeys(keyFile)) return;
  throw new AuthError(
    "settings_differ",
    `${keyFile.path} was not written with these settings: it is missing, or holds another JWT_SECRET.`,
    "Use the settings that the service was started with, or restart it with these.",
  );
}

/** Whether there is a key that signs; it can be decrypted then. */
async function readSigningKey(context: KeyContext): Promise<boolean> {
  const signing = (await listKeys(context)).findLast(({ state }) => state === "signs");
  if (signing !== undefined) await readPrivateKey(context, signing.id);
  return signing !== undefined;
}

/** Removes keys that have ended; writes the set when the file holds another one. */
export async function maintainKeys(context: KeyContext): Promise<void> {
  await removeEndedKeys(context);
  const { keyFile } = context.settings;
  const set = await readKeySet(context.pool, context.settings);
  if (readKeyFile(keyFile) !== set) await publishKeys(context);
}

/** All keys, the oldest first. */
export async function listKeys({ pool }: KeyContext): Promise<SigningKey[]> {
  const { rows } = await pool.query<{ id: string; since: Date | null; until: Date | null }>(
    `select
       id,
       nullif(created_at, 'epoch') as since,
       expires_at as until
     from identity.signing_keys
     order by created_at, id`,
  );
  return rows.map(({ id, since, until }) => ({
    id,
    state: since === null ? "published" : until === null ? "signs" : "ends",
    since: since ?? undefined,
    until: until ?? undefined,
  }));
}

/**
 * Adds a key.
 *
 * @param signsSince "now", or "never" for one that PostgREST is only to learn of.
 * @returns Its id, which tokens name as `kid`.
 */
export async function addKey(
  { pool, settings }: KeyContext,
  signsSince: "now" | "never",
): Promise<string> {
  const { publicWebKey, privateWebKey, alg } = await generateExportedKeyPair({
    jwks: { keyPairConfig: { alg: "ES256" } },
  });
  const encrypted = await encrypt(settings, JSON.stringify(privateWebKey));
  const { rows } = await pool.query<{ id: string }>(
    `insert into identity.signing_keys (public_key, private_key, alg, crv, created_at)
     values ($1, $2, $3, 'P-256', case when $4 then now() else 'epoch' end)
     returning id`,
    [JSON.stringify(publicWebKey), JSON.stringify(encrypted), alg, signsSince === "now"],
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

/** Removes keys whose last token has ended. */
async function removeEndedKeys({ pool }: KeyContext): Promise<void> {
  await pool.query("delete from identity.signing_keys where expires_at < now()");
}

/** Removes keys that were published and never signed: a rotation was interrupted. */
export async function removePublishedKeys({ pool }: KeyContext): Promise<void> {
  await pool.query("delete from identity.signing_keys where created_at = 'epoch'");
}

/** Removes all keys but one: tokens that they have signed are refused once PostgREST has started again. */
export async function removeOtherKeys({ pool }: KeyContext, id: string): Promise<void> {
  await pool.query("delete from identity.signing_keys where id <> $1", [id]);
}

/**
 * Writes the set of public keys for PostgREST, and tells it to read the file again. One process at a
 * time: another could replace a newer set by one that it has read before.
 */
export async function publishKeys({ pool, settings }: KeyContext): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(hashtext('rowhouse publish keys'))");
    writeKeyFile(settings.keyFile, await readKeySet(client, settings));
    await client.query("notify pgrst, 'reload config'");
    await client.query("commit");
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** A token that no user has, signed with a key: whether PostgREST knows the key shows in its refusal. */
export async function signProbe(context: KeyContext, id: string): Promise<string> {
  const key = await importJWK(await readPrivateKey(context, id), "ES256");
  return new SignJWT({ role: "anonymous" })
    .setProtectedHeader({ alg: "ES256", kid: id })
    .setExpirationTime("1m")
    .sign(key);
}

/** @throws AuthError secret_unknown */
async function readPrivateKey({ pool, settings }: KeyContext, id: string): Promise<JWK> {
  const { rows } = await pool.query<{ private_key: string }>(
    "select private_key from identity.signing_keys where id = $1",
    [id],
  );
  const encrypted: unknown = JSON.parse(rows[0]?.private_key ?? "null");
  try {
    return JSON.parse(await decrypt(settings, String(encrypted)));
  } catch (cause) {
    throw new AuthError(
      "secret_unknown",
      "The signing key in the database is encrypted with a secret that AUTH_SECRET does not hold.",
      "Put the old secret behind the new one, with a comma between. If it is lost: docs/sign-in.md.",
      { cause },
    );
  }
}

/** The key set as PostgREST reads it. */
async function readKeySet(
  database: pg.Pool | pg.PoolClient,
  { keyFile }: AuthSettings,
): Promise<string> {
  const { rows } = await database.query<{ id: string; public_key: string }>(
    "select id, public_key from identity.signing_keys order by created_at, id",
  );
  const keys = rows.map(({ id, public_key }) => ({
    ...(JSON.parse(public_key) as JWK),
    kid: id,
    alg: "ES256",
    use: "sig",
  }));
  return formatKeySet(keys, keyFile);
}
