import { existsSync } from "node:fs";
import jwt from "jsonwebtoken";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import { stringifyJson } from "../lib/json.ts";
import { openProject, type Project } from "../lib/project.ts";
import { type ApiNames, readApiNames, readLoginSettings } from "./api-names.ts";
import { withClient } from "./database.ts";
import { canSign } from "./jwt-secret.ts";
import { readPostgrestConf } from "./postgrest-conf.ts";
import { queryUsers } from "./users.ts";

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
 * Whether `rowhouse token <email>` makes tokens of new users: it needs a shared secret, and a table
 * api.users that is seen.
 *
 * @param secret What JWT_SECRET holds; undefined is a secret of the home, which can sign.
 */
export async function canIssueTokens(url: string, secret: string | undefined): Promise<boolean> {
  if (secret !== undefined && !canSign(secret)) return false;
  return withClient(url, async (client) => {
    const names = await readApiNames(client, openProject());
    await assertSeesUsers(client, names);
    return hasOwnUsers(client, names);
  }).catch(() => false);
}

type Claims = Readonly<Record<string, unknown>>;

/** A signed JWT (HS256) that the API accepts. */
export function signToken(
  user: { id: string; email: string; claims?: Claims | null },
  options: TokenOptions,
  role = "authenticated",
): string {
  return signClaims({ ...user.claims, role, email: user.email, sub: user.id }, options);
}

/**
 * A signed JWT (HS256) with claims as given, whose numbers may be those of parseJson; aud and iss come from the
 * options where they are not.
 */
export function signClaims(claims: Claims, { secret, aud, iss, expiresIn }: TokenOptions): string {
  const given = Object.entries({ aud, iss, ...claims }).filter(([, value]) => value !== null);
  const iat = Math.floor(Date.now() / 1000);
  // As a text, since the library would write its numbers by JSON.stringify.
  const payload = stringifyJson({ ...Object.fromEntries(given), iat, exp: iat + expiresIn });
  return jwt.sign(payload, secret, { header: { alg: "HS256", typ: "JWT" } });
}

/**
 * The id of the user with an email address, further claims, and the role of their tokens. In the table api.users a
 * user is made when missing; the users of other projects are made by these.
 *
 * @param url The database, as a role that sees all users.
 * @throws RowhouseError users_hidden when row-level security hides them from that role,
 *   database_not_migrated when it is not known where they are, user_unknown, user_ambiguous
 */
export async function findTokenUser(
  url: string,
  email: string,
  project = openProject(),
): Promise<{ id: string; claims: Claims | null; role: string }> {
  return withClient(url, async (client) => {
    const names = await readApiNames(client, project);
    await assertSeesUsers(client, names);
    const role = names.user ?? "authenticated";
    if (await hasOwnUsers(client, names))
      return { id: await makeUser(client, email), claims: null, role };
    return { ...(await findOther(client, names, email)), role };
  });
}

/**
 * The role of a token that is signed for any claims.
 *
 * @param role The claim role; undefined for that of a user's token, null for none.
 * @throws RowhouseError claims_invalid when no request can have that role.
 */
export async function checkTokenRole(
  url: string,
  role: unknown,
  project = openProject(),
): Promise<unknown> {
  return withClient(url, async (client) => {
    const names = await readApiNames(client, project);
    const { roles, logins, user, anonymous } = names;
    if (role === undefined) return user;
    // Where the login role is not known, it is not known either whom it can become.
    if (role === null || logins.length === 0) return role;
    const { roleClaim, namesSchemas } = readPostgrestConf(findConf(project));
    const settings = await readLoginSettings(client, anonymous, undefined, namesSchemas);
    const isRole = /^\."?role"?$/.test(settings.get("jwt_role_claim_key") ?? roleClaim);
    if (!isRole || roles.some((one) => one === role)) return role;
    throw new RowhouseError(
      "claims_invalid",
      `The claims name the role ${stringifyJson(role)}, which no request can have: there is none, or ${logins.join(", ")} may not become it.`,
      `Give the claim role one of ${roles.join(", ")}; or create the role, and grant it to ${logins[0]}.`,
    );
  });
}

function findConf({ postgrestConf }: Project): string | undefined {
  return existsSync(postgrestConf) ? postgrestConf : undefined;
}

/** Like findTokenUser, the id alone. */
export async function findOrCreateUser(url: string, email: string): Promise<string> {
  return (await findTokenUser(url, email)).id;
}

/** Whether the users are those of a project that was made by Rowhouse, and not only called so. */
async function hasOwnUsers(client: pg.Client, { usersTable }: ApiNames): Promise<boolean> {
  if (usersTable !== "api.users") return false;
  const { rows } = await client.query<{ isOwn: boolean }>(
    `select to_regprocedure('request.user_id()') is not null as "isOwn"`,
  );
  return rows[0]?.isOwn === true;
}

async function makeUser(client: pg.Client, email: string): Promise<string> {
  await client.query("begin");
  // Addresses are not unique, so of two at once each would make a user of its own.
  await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [email]);
  const id = (await findUser(client, email)) ?? (await createUser(client, email));
  await client.query("commit");
  return id;
}

async function findUser(client: pg.Client, email: string): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    "select id from api.users where email = $1 order by id limit 10",
    [email],
  );
  const [user, another] = rows;
  if (another !== undefined) throw ambiguous(email, rows);
  return user?.id;
}

async function createUser(client: pg.Client, email: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    "insert into api.users (email) values ($1) returning id",
    [email],
  );
  return rows[0]?.id ?? "";
}

async function findOther(
  client: pg.Client,
  { users, usersTable }: ApiNames,
  email: string,
): Promise<{ id: string; claims: Claims | null }> {
  const rows = await queryUsers<{ id: string; claims: Claims | null }>(
    client,
    `select id, claims from (${users}) as users where email = $1 order by id collate "C" limit 10`,
    [email],
  );
  const [user, another] = rows;
  if (another !== undefined) throw ambiguous(email, rows);
  if (user !== undefined) return user;
  throw new RowhouseError(
    "user_unknown",
    `No user has the email address ${email}, and those of ${usersTable ?? "this project's query"} are not made here.`,
    signForId,
  );
}

const signForId = "Sign for an id: `npx rowhouse token --sub <id>`.";

function ambiguous(email: string, users: readonly { readonly id: string }[]): RowhouseError {
  return new RowhouseError(
    "user_ambiguous",
    `Several users have the email address ${email}: ${users.map(({ id }) => id).join(", ")}.`,
    signForId,
  );
}

async function assertSeesUsers(client: pg.Client, { users, usersTable }: ApiNames): Promise<void> {
  if (users === undefined) {
    throw new RowhouseError(
      "database_not_migrated",
      "The database has no table of users: neither api.users, nor auth.users that an exposed table refers to.",
      "Run `npx rowhouse migrate`, or `npm start`, which does it too. A project with other users names them in package.json, or signs for any id: `npx rowhouse token --sub <id>`.",
    );
  }
  if (usersTable === undefined) return;
  const { rows } = await client.query<{ hidden: boolean | null }>(
    "select row_security_active(to_regclass($1)) as hidden",
    [usersTable],
  );
  if (rows[0]?.hidden) {
    throw new RowhouseError(
      "users_hidden",
      "The role in DATABASE_URL is under row-level security itself, so it cannot look users up.",
      "Use a role with BYPASSRLS (Neon's owner has it), or get tokens from your identity provider.",
    );
  }
}
