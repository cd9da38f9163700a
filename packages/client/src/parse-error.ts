import {
  ApiError,
  ConflictError,
  type ErrorFacts,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  RateLimitedError,
  SignedOutError,
  StaleError,
  TooLargeError,
  UnavailableError,
} from "./errors.ts";

/** The body of a PostgREST error, as far as it could be read. */
type Body = Partial<Record<"code" | "message" | "details" | "hint", string | undefined>>;

/**
 * The typed error of a response that is not a 2xx.
 *
 * @param text The body.
 */
export function parseError(
  text: string,
  response: Pick<ErrorFacts, "status" | "requestId" | "uncertain">,
): ApiError {
  const { code, message, details, hint } = parseBody(text);
  const { status } = response;
  const facts: ErrorFacts = { ...response, code: code ?? `HTTP${status}`, details, hint };
  return createError(asSentence(message ?? `The server responded with status ${status}`), facts);
}

function createError(message: string, facts: ErrorFacts): ApiError {
  // PostgREST answers 404 to an operator that a column does not have, as to a missing function.
  const status = facts.code === "42883" && /operator/.test(message) ? 400 : facts.status;
  switch (status) {
    case 401:
      return new SignedOutError(`${message} Sign in again.`, facts);
    case 403:
      return new ForbiddenError(`${message} You are not allowed to do this.`, facts);
    case 404:
    case 406:
      return new NotFoundError(`${message} Check the name and the id.`, facts);
    case 409:
      return new ConflictError(
        `${message} Choose another id, or create the row that it references.`,
        facts,
      );
    case 412:
      return new StaleError(`${message} Read it again, then decide.`, facts);
    case 413:
    case 414:
    case 431:
      return new TooLargeError(`${message} Send less at once.`, facts);
    case 429:
      return new RateLimitedError(`${message} Wait, then try again.`, facts);
    case 400:
    case 422:
      return createInvalidError(message, facts);
    default:
      if (status === 408 || status >= 500) {
        return new UnavailableError(`${message} Try again later.`, facts);
      }
      return new ApiError(`${message} Check the request.`, facts);
  }
}

/** Reads the column and the rule out of the messages of PostgreSQL and PostgREST. */
function createInvalidError(message: string, facts: ErrorFacts): InvalidError {
  const create = (column?: string, rule?: string) =>
    new InvalidError(`${message} Correct it and send it again.`, facts, column, rule);
  switch (facts.code) {
    case "23502":
      return create(/column "([^"]+)"/.exec(message)?.[1], "not null");
    case "PGRST204":
      return create(
        /'([^']+)' (?:column )?of (?:relation )?'/i.exec(message)?.[1],
        "unknown column",
      );
    case "42703":
      return create(/column [^ ]*?(\w+) does not exist/.exec(message)?.[1], "unknown column");
    case "23514": {
      const match = /relation "([^"]+)".*constraint "([^"]+)"/.exec(message);
      const [, table = "", rule = ""] = match ?? [];
      return create(parseColumn(table, rule), rule);
    }
    default:
      return create();
  }
}

/** Constraints are named table_column_rule; the rule is one word or "not_blank". */
function parseColumn(table: string, constraint: string): string | undefined {
  if (!constraint.startsWith(`${table}_`)) return undefined;
  return constraint.slice(table.length + 1).replace(/_(not_)?[a-z0-9]+$/, "") || undefined;
}

/** PostgreSQL ends its messages without a full stop, and ours go on after it. */
function asSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function parseBody(text: string): Body {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return {};
    const field = (name: string): string | undefined => {
      const value: unknown = Reflect.get(body, name);
      return typeof value === "string" ? value : undefined;
    };
    return {
      code: field("code"),
      message: field("message"),
      details: field("details"),
      hint: field("hint"),
    };
  } catch {
    return {}; // A proxy's page, or nothing: only the status tells.
  }
}
