import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { errorCode, RowhouseError } from "../lib/errors.ts";
import { withClient } from "./database.ts";

const quiet = readFileSync(join(import.meta.dirname, "quiet.sql"), "utf8");

/** Sets the password that PostgREST signs in with. */
export async function setAuthenticatorPassword(ownerUrl: string, password: string): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query(quiet);
    await client.query(`alter role authenticator password ${pg.escapeLiteral(password)}`);
  });
}

/** The database's URL as authenticator. */
export function authenticatorUrl(ownerUrl: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = "authenticator";
  url.password = encodeURIComponent(password);
  return url.href;
}

/**
 * Makes sure that authenticator can sign in on a server that is not ours: as the one who may,
 * sets its password when it has none or another one.
 *
 * @throws RowhouseError database_refused when the password neither fits nor can be set.
 */
export async function ensureAuthenticator(ownerUrl: string, password: string): Promise<void> {
  if (await canSignIn(authenticatorUrl(ownerUrl, password))) return;
  try {
    await setAuthenticatorPassword(ownerUrl, password);
  } catch (error) {
    if (errorCode(error) !== "42501") throw error;
    throw new RowhouseError(
      "database_refused",
      "The password of authenticator is not AUTHENTICATOR_PASSWORD, and the user in DATABASE_URL may not set it.",
      "Correct AUTHENTICATOR_PASSWORD, or set it as a role that may: alter role authenticator password '...';",
      { cause: error },
    );
  }
}

async function canSignIn(url: string): Promise<boolean> {
  try {
    return await withClient(url, async () => true);
  } catch (error) {
    if (error instanceof RowhouseError && error.code === "database_refused") return false;
    throw error;
  }
}
