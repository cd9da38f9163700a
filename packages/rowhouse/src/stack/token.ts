import jwt from "jsonwebtoken";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import { withClient } from "./database.ts";
import { canSign } from "./jwt-secret.ts";

/** Who a token is for, and how it is signed. */
export interface TokenOptions {
  readonly secret: string;
  readonly aud: string;
  readonly iss: string;
  /** How long it is valid, in seconds. */
  readonly expiresIn: number;
}

/**
 * Makes sure that tokens can be signed.
 *
 * @throws RowhouseError secret_cannot_sign when the secret is a public key or key set.
 */
export function assertCanSign(secret: string): void {
  if (canSign(secret)) return;
  throw new RowhouseError(
    "secret_cannot_sign",
    "JWT_SECRET holds a key or key set, with which no token can be signed here.",
    "Get tokens from the identity provider whose key it is, or set JWT_SECRET to a shared secret.",
  );
}

/**
 * Whether `rowhouse token` works: it needs a shared secret, and a table of users that is seen.
 *
 * @param secret What JWT_SECRET holds; undefined is a secret of the home, which can sign.
 */
export async function canIssueTokens(url: string, secret: string | undefined): Promise<boolean> {
  if (secret !== undefined && !canSign(secret)) return false;
  return withClient(url, assertSeesUsers).then(
    () => true,
    () => false,
  );
}

/** A signed JWT (HS256) that the API accepts. */
export function signToken(user: { id: string; email: string }, options: TokenOptions): string {
  return jwt.sign({ role: "authenticated", email: user.email }, options.secret, {
    algorithm: "HS256",
    subject: user.id,
    audience: options.aud,
    issuer: options.iss,
    expiresIn: options.expiresIn,
  });
}

/**
 * The id of the user with an email address; the user is made when missing.
 *
 * @param url The database, as a role that sees all users.
 * @throws RowhouseError users_hidden when row-level security hides them from that role,
 *   database_not_migrated when there is no table of users.
 */
export async function findOrCreateUser(url: string, email: string): Promise<string> {
  return withClient(url, async (client) => {
    await assertSeesUsers(client);
    await client.query("begin");
    // Addresses are not unique, so of two at once each would make a user of its own.
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [email]);
    const id = (await findUser(client, email)) ?? (await createUser(client, email));
    await client.query("commit");
    return id;
  });
}

async function findUser(client: pg.Client, email: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    "select id from api.users where email = $1 order by id limit 1",
    [email],
  );
  return rows[0]?.id;
}

async function createUser(client: pg.Client, email: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    "insert into api.users (email) values ($1) returning id",
    [email],
  );
  return rows[0]?.id ?? "";
}

async function assertSeesUsers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ hidden: boolean | null }>(
    "select row_security_active(to_regclass('api.users')) as hidden",
  );
  const hidden = rows[0]?.hidden ?? null;
  if (hidden === null) {
    throw new RowhouseError(
      "database_not_migrated",
      "The database has no table api.users.",
      "Run `npx rowhouse migrate`, or `npm start`, which does it too.",
    );
  }
  if (hidden) {
    throw new RowhouseError(
      "users_hidden",
      "The role in DATABASE_URL is under row-level security itself, so it cannot look users up.",
      "Use a role with BYPASSRLS (Neon's owner has it), or get tokens from your identity provider.",
    );
  }
}
