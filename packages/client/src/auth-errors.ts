import {
  ApiError,
  type ErrorFacts,
  RateLimitedError,
  SignedOutError,
  UnavailableError,
  unsent,
} from "./errors.ts";

/** Codes of the sign-in service that an app is likely to tell apart; there are others. */
export type AuthErrorCode =
  | "INVALID_EMAIL_OR_PASSWORD"
  | "EMAIL_NOT_VERIFIED"
  | "INVALID_EMAIL"
  | "INVALID_PASSWORD"
  | "PASSWORD_TOO_SHORT"
  | "PASSWORD_TOO_LONG"
  | "INVALID_TOKEN"
  | "INVALID_CODE"
  | "SESSION_NOT_FRESH"
  | "SIGNED_IN_AS_ANOTHER"
  | "PASSKEYS_NOT_SUPPORTED"
  | "PASSKEY_CANCELLED"
  | "PASSKEY_EXISTS"
  | "PASSKEY_REFUSED"
  | "PASSKEY_NOT_FOUND"
  | "PASSKEY_DOMAIN_INVALID"
  | "VALIDATION_ERROR"
  | (string & {});

/** The sign-in service, or for a passkey the browser, refused a request, for the reason that `code` names. */
export class AuthError extends ApiError {
  override readonly name = "AuthError";
  declare readonly code: AuthErrorCode;
}

/** Too many tries, from this address or on this account (429). */
export class TooManyAttemptsError extends RateLimitedError {
  /** After how many seconds the next try is let through; 0 when the service did not say. */
  readonly retryAfter: number;

  constructor(message: string, facts: ErrorFacts, retryAfter: number) {
    super(message, facts);
    this.retryAfter = retryAfter;
  }
}

/** The error of a call that needs a session, and has none. */
export function signedOut(): SignedOutError {
  return new SignedOutError("Nobody is signed in. Sign in first.", unsent("signed_out"));
}

/** The error of a link that would sign somebody else in, and that this browser has not asked for. */
export function signedInAsAnother(): AuthError {
  return new AuthError(
    "The link is for another account, and was not asked for in this browser. Sign out, then ask for a new one.",
    unsent("SIGNED_IN_AS_ANOTHER"),
  );
}

/** The error of a link, or of a sign-in at a provider, that the service has led back with a code. */
export function deadLink(code: string): AuthError {
  return new AuthError(
    `The link, or the sign-in, did not work (${code}). Ask for a new one.`,
    unsent(code),
  );
}

/** What to do, where the service's message does not say so. */
const remedies: Readonly<Record<string, string>> = {
  EMAIL_NOT_VERIFIED: "Follow the link in the mail, or ask for another with `sendConfirmation`.",
  INVALID_TOKEN: "Each link works once, and not for long: ask for a new one.",
  SESSION_NOT_FRESH: "Sign in again, then repeat it.",
  PASSKEY_REFUSED: "Try again; or sign in another way, and add it once more.",
  UNAUTHORIZED: "The session has ended: sign in again.",
};

/**
 * The typed error of an answer that is not a 2xx. It holds nothing of the request.
 *
 * @param body The answer's JSON, or undefined.
 * @param retryAfter In seconds.
 */
export function parseAuthError(status: number, body: unknown, retryAfter: number): ApiError {
  const field = (name: string): string | undefined => {
    const value: unknown = typeof body === "object" && body ? Reflect.get(body, name) : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const code = field("code") ?? `HTTP${status}`;
  const facts: ErrorFacts = { status, code, requestId: "" };
  const reason = field("message") ?? `The sign-in service responded with status ${status}`;
  const message = [`${reason.replace(/[.!]$/, "")}.`, remedies[code]].filter(Boolean).join(" ");
  if (status === 429) {
    const wait = retryAfter > 0 ? `in ${retryAfter} s` : "later";
    return new TooManyAttemptsError(`Too many tries. Try again ${wait}.`, facts, retryAfter);
  }
  if (status >= 500 || status === 408) return new UnavailableError(message, facts);
  if (status === 401 && code === "UNAUTHORIZED") return new SignedOutError(message, facts);
  return new AuthError(message, facts);
}
