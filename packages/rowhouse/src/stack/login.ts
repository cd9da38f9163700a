import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { withClient } from "./database.ts";

const quiet = readFileSync(join(import.meta.dirname, "quiet.sql"), "utf8");

/** The role that PostgREST logs in as where no other one is found. */
export const defaultLogin = "authenticator";

/** The role that the sign-in service logs in as. */
export const identityLogin = "identity_service";

/**
 * Sets the password that a server logs in with.
 *
 * @throws RowhouseError database_not_migrated when there is no such role.
 */
export async function setPassword(ownerUrl: string, role: string, password: string): Promise<void> {
  const statement = `alter role ${pg.escapeIdentifier(role)} password ${pg.escapeLiteral(password)}`;
  await withClient(ownerUrl, async (client) => {
    await client.query(quiet);
    await client.query(statement).catch((error: unknown) => {
      throw errorCode(error) === "42704" ? roleMissing(role) : error;
    });
  });
}

function roleMissing(role: string): RowhouseError {
  return new RowhouseError(
    "database_not_migrated",
    `There is no role ${role} to log in as.`,
    `Migrate the database; or declare the role in sql/roles: create role ${role} login noinherit, a member of the roles of requests.`,
  );
}

/** The database's URL as one of these roles. */
export function loginUrl(ownerUrl: string, role: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.href;
}

/**
 * The URL by a Unix socket, for programs that use libpq: that tries the directory first, and then the
 * host, should somebody have removed the socket.
 */
export function socketUrl(url: string, directory: string): string {
  const { username, password, hostname, port, pathname } = new URL(url);
  const hosts = [directory, hostname].map(encodeURIComponent).join(",");
  return `postgres://${username}:${password}@${pathname}?host=${hosts}&port=${port}&sslmode=disable`;
}

/**
 * Makes sure that a role can log in on a server that is not ours: as the one who may, sets its
 * password when it has none or another one. The password of a role that other programs may log in as
 * is left alone.
 *
 * @param variable The setting that holds the password.
 * @throws RowhouseError database_refused when the password neither fits nor can be set.
 */
export async function ensureLogin(
  ownerUrl: string,
  role: string,
  password: string,
  variable: string,
): Promise<void> {
  if (await canLogIn(loginUrl(ownerUrl, role, password))) return;
  if (role !== defaultLogin && role !== identityLogin) {
    throw otherPassword(role, variable, "other programs may log in with it");
  }
  try {
    await setPassword(ownerUrl, role, password);
  } catch (error) {
    if (errorCode(error) !== "42501") throw error;
    throw otherPassword(role, variable, "the user in DATABASE_URL may not", error);
  }
}

/** @param reason Why it is not set here. */
function otherPassword(
  role: string,
  variable: string,
  reason: string,
  cause?: unknown,
): RowhouseError {
  return new RowhouseError(
    "database_refused",
    `The password of ${role} is not ${variable}, and it is not set here: ${reason}.`,
    `Correct ${variable}, or set it as a role that may: alter role ${role} password '...';`,
    { cause },
  );
}

async function canLogIn(url: string): Promise<boolean> {
  try {
    return await withClient(url, async () => true);
  } catch (error) {
    if (error instanceof RowhouseError && error.code === "database_refused") return false;
    throw error;
  }
}
