/** What an error carries beyond its message. */
export interface ErrorFacts {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The code of PostgREST or PostgreSQL ("23514", "PGRST116"), or a word of ours. */
  readonly code: string;
  /** The X-Request-Id under which the server's logs know the request. */
  readonly requestId: string;
  /** PostgREST's details, untouched. */
  readonly details?: string | undefined;
  /** PostgREST's hint, untouched. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** What an error carries that was found before anything was sent. */
export function unsent(code: string): ErrorFacts {
  return { status: 0, code, requestId: "" };
}

/**
 * The base of everything that the client throws. Its message says what failed and what to do.
 * `name` tells the classes apart where `instanceof` cannot (two copies of the package).
 */
export class RowhouseError extends Error implements ErrorFacts {
  override readonly name: string = "RowhouseError";
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly details: string | undefined;
  readonly hint: string | undefined;
  /** Whether an earlier sending of the same call may have arrived, its answer being lost. */
  uncertain = false;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.details = facts.details;
    this.hint = facts.hint;
  }
}

/** The token is missing, has expired or was refused (401). Sign in again. */
export class SignedOutError extends RowhouseError {
  override readonly name = "SignedOutError";
}

/** The row would not be yours, or the column or table is not granted (403). */
export class ForbiddenError extends RowhouseError {
  override readonly name = "ForbiddenError";
}

/** There is no such row among yours, or no such table (404, 406). */
export class NotFoundError extends RowhouseError {
  override readonly name = "NotFoundError";
}

/** Someone changed the row after it was read (412). */
export class StaleError<Row = unknown> extends RowhouseError {
  override readonly name = "StaleError";
  /** The row as it is now; undefined when it is gone, or could not be read. */
  readonly current: Row | undefined;

  constructor(message: string, facts: ErrorFacts, current?: Row) {
    super(message, facts);
    this.current = current;
  }
}

/** The id is taken, or something that the row points at is missing (409). */
export class ConflictError extends RowhouseError {
  override readonly name = "ConflictError";
}

/** The data or the question breaks a rule (400, 422). */
export class InvalidError extends RowhouseError {
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

/** The request was larger than the server takes (413, 414, 431). */
export class TooLargeError extends RowhouseError {
  override readonly name = "TooLargeError";
}

/** Too many requests (429). */
export class RateLimitedError extends RowhouseError {
  override readonly name = "RateLimitedError";
}

/** The server could not be reached or failed (no answer, 5xx). It may work later. */
export class UnavailableError extends RowhouseError {
  override readonly name = "UnavailableError";
}

/** The call took longer than its timeout, retries included. */
export class DeadlineError extends RowhouseError {
  override readonly name = "DeadlineError";
}

/** The caller's AbortSignal ended the call. */
export class AbortedError extends RowhouseError {
  override readonly name = "AbortedError";
}
