import { type ApiError, AuthError, TooManyAttemptsError } from "../../../client/index.ts";
import { explain } from "./explain.ts";

const messages: Readonly<Record<string, string>> = {
  INVALID_EMAIL_OR_PASSWORD: "There is no account with this address and password.",
  EMAIL_NOT_VERIFIED: "Confirm your address first: follow the link in the mail.",
  INVALID_EMAIL: "This is no email address.",
  VALIDATION_ERROR: "Fill in every field, with an email address like alice@example.com.",
  INVALID_PASSWORD: "This is not your password.",
  PASSWORD_TOO_SHORT: "A password needs at least 8 characters.",
  PASSWORD_TOO_LONG: "A password has at most 128 characters.",
};

/**
 * The message for the user about an error of the sign-in.
 *
 * @throws What is not an ApiError: a bug in this page.
 */
export function explainAuth(error: unknown): string {
  if (error instanceof TooManyAttemptsError) return `Too many tries. ${describeWait(error)}`;
  if (error instanceof AuthError) return messages[error.code] ?? error.message;
  return explain(error);
}

function describeWait({ retryAfter }: TooManyAttemptsError): string {
  if (retryAfter <= 90) return "Try again in a minute.";
  return `Try again in ${Math.ceil(retryAfter / 60)} minutes.`;
}

/** What to say when a link of a mail did not work. */
export const deadLink = "This link does not work: it is too old, or was used already.";

/** What to say about what led here, and signed nobody in. */
export function explainLink(error: ApiError): string {
  if (error.code === "SIGNED_IN_AS_ANOTHER") return error.message;
  return `${deadLink} Sign in, and ask for a new one if you need it.`;
}
