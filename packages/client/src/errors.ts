/** What an error carries besides its message. */
export interface ErrorFacts {
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  /** The code of PostgREST or PostgreSQL ("23514", "PGRST116"), or one of the client's own. */
  readonly code: string;
  /** The X-Request-Id of the request, which the server logs too; "" when nothing was sent. */
  readonly requestId: string;
  /** PostgREST's details, untouched. */
  readonly details?: string | undefined;
  /** PostgREST's hint, untouched. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Whether an earlier attempt of the same call may have reached the server. Default false. */
  readonly uncertain?: boolean;
}

/** The facts of an error that was found before anything was sent. */
export function unsent(code: string): ErrorFacts {
  return { status: 0, code, requestId: "" };
}

/**
 * The base class of every error that the client throws. The message says what failed and what to
 * do. `name` tells the classes apart where `instanceof` cannot (two copies of the package).
 */
export class ApiError extends Error implements ErrorFacts {
  override readonly name: string = "ApiError";
  declare readonly status: number;
  declare readonly code: string;
  declare readonly requestId: string;
  declare readonly details: string | undefined;
  declare readonly hint: string | undefined;
  /** Whether an earlier attempt of the same call may have reached the server. */
  declare readonly uncertain: boolean;

  constructor(message: string, { cause, ...facts }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { uncertain: false, ...facts });
  }
}

/** The token is missing, has expired or was refused, or its role is (401). Sign in again. */
export class SignedOutError extends ApiError {
  override readonly name = "SignedOutError";
}

/** A policy forbids the row, or the column or table is not granted (403). */
export class ForbiddenError extends ApiError {
  override readonly name = "ForbiddenError";
}

/** The caller has no such row, or there is no such table or function (404, 406). */
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError";
}

/** The row has changed since it was read (412). */
export class StaleError<Row = unknown> extends ApiError {
  override readonly name = "StaleError";
  /** The row as it is now; undefined when it is gone, or could not be read. */
  readonly current: Row | undefined;

  constructor(message: string, facts: ErrorFacts, current?: Row) {
    super(message, facts);
    this.current = current;
  }
}

/** The id is taken or meets several rows, or a row that it references is missing (409). */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
}

/** The data violates a constraint, or the request is malformed (400, 422). */
export class InvalidError extends ApiError {
  override readonly name = "InvalidError";
  /** The column at fault, when the server names one. */
  readonly column: string | undefined;
  /** The rule: a constraint's name, "not null", or "unknown column". */
  readonly rule: string | undefined;

  constructor(message: string, facts: ErrorFacts, column?: string, rule?: string) {
    super(message, facts);
    this.column = column;
    this.rule = rule;
  }
}

/** The request is larger than the server accepts (413, 414, 431). */
export class TooLargeError extends ApiError {
  override readonly name = "TooLargeError";
}

/** Too many requests (429). */
export class RateLimitedError extends ApiError {
  override readonly name = "RateLimitedError";
}

/**
 * The server could not be reached or failed (no response, 5xx), or it lost its database. It may
 * work later.
 */
export class UnavailableError extends ApiError {
  override readonly name = "UnavailableError";
}

/** The call took longer than its timeout, retries included. */
export class DeadlineError extends ApiError {
  override readonly name = "DeadlineError";
}

/** The caller's AbortSignal ended the call. */
export class AbortedError extends ApiError {
  override readonly name = "AbortedError";
}

/** The error of a call that makes no sense, found before anything was sent. */
export function refused(code: string, message: string, column?: string): InvalidError {
  return new InvalidError(message, unsent(code), column);
}
