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
  | "VALIDATION_ERROR"
  | (string & {});

/** The sign-in service refused a request, for the reason that `code` names. */
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

/** What to do, where the service's message does not say so. */
const remedies: Readonly<Record<string, string>> = {
  EMAIL_NOT_VERIFIED: "Follow the link in the mail, or ask for another with `sendConfirmation`.",
  INVALID_TOKEN: "Each link works once, and not for long: ask for a new one.",
  SESSION_NOT_FRESH: "Sign in again, then repeat it.",
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
