import { withDatabase as withDatabaseOf } from "./stack/embedded.ts";
import { jwtSecret, openHome } from "./stack/home.ts";
import { runningState } from "./stack/lock.ts";
import type { Settings } from "./stack/settings.ts";
import { assertCanSign, signToken as sign } from "./stack/token.ts";

export { type ErrorCode, RowhouseError } from "./lib/errors.ts";
export { openProject, type Project } from "./lib/project.ts";
export { readSettings, type Settings } from "./stack/settings.ts";
export { type Stack, startStack } from "./stack/stack.ts";
export { findOrCreateUser } from "./stack/token.ts";

/**
 * Works on the database that the settings mean: the one in DATABASE_URL, the one of the running
 * stack, or the home's own, started for as long as the work takes.
 *
 * @param work Takes the database's URL, as its owner.
 * @throws RowhouseError
 */
export async function withDatabase<T>(
  settings: Settings,
  work: (url: string) => Promise<T>,
): Promise<T> {
  return withDatabaseOf(settings, openHome(settings.home), work);
}

/**
 * Signs a token that the API accepts: for tests and while developing.
 *
 * @param expiresIn How long it is valid, in seconds.
 * @throws RowhouseError secret_cannot_sign
 */
export function signToken(
  settings: Settings,
  user: { readonly id: string; readonly email: string },
  expiresIn = 3600,
): string {
  const secret = settings.jwtSecret ?? jwtSecret(openHome(settings.home));
  assertCanSign(secret);
  const { jwtAud: aud, jwtIss: iss } = settings;
  return sign(user, { secret, aud, iss, expiresIn });
}

/** The address of the API that runs in the home of the settings; undefined when none does. */
export async function findRunningApi(settings: Settings): Promise<string | undefined> {
  return (await runningState(openHome(settings.home)))?.apiUrl;
}
