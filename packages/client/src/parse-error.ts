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
 * The code of a response of PostgREST without one: its connection to the database broke at the
 * start of a transaction or at its commit, and libpq names no SQLSTATE. The status is 400.
 */
const lostConnection = "connection_lost";

/**
 * The status that stands for the class of a code, where versions of PostgREST differ in the status
 * that they send, or the code says more than it. Read in `pgErrorStatus` of PostgREST's
 * src/PostgREST/Error.hs: 12.0.2, 12.2.12, 13.0.8, 14.17, 16.2.
 */
const statusesByCode: readonly (readonly [codes: RegExp, status: number])[] = [
  // Connections, resources, operators, the system, faults; PostgREST that has no database.
  [/^(?:08|40|53|57|58|XX)...$|^PGRST00[0-3]$|^PGRSTX00$|^connection_lost$/, 503],
  [/^25006$/, 503], // 405: the server is a standby
  [/^42P17$/, 503], // 400 before 12.2: a policy that asks itself, which no request can mend
  [/^54...$/, 413], // 500 since 12.2
  [/^21000$/, 400], // 500 since 12.2: a row twice in an upsert
  [/^PGRST107$/, 400], // 415, or 406 since 12.2: no such media type
  [/^PGRST30[1-3]$/, 401],
  [/^42P01$|^PGRST20[25]$/, 404],
  [/^23(?:001|503|505)$/, 409], // 400 for 23001: "on delete restrict" since PostgreSQL 18
];

/**
 * The typed error of a response that is not a 2xx. Its code decides before its status does.
 *
 * @param text The body. Details and hint may be missing (client-error-verbosity of PostgREST 16).
 * @param method Of the request: a write to a standby is refused as a GET that writes is.
 */
export function parseError(
  text: string,
  response: Pick<ErrorFacts, "status" | "requestId" | "uncertain">,
  method = "POST",
): ApiError {
  const { code, message, details, hint } = parseBody(text);
  const { status } = response;
  const known = code === "" ? lostConnection : (code ?? `HTTP${status}`);
  const facts: ErrorFacts = { ...response, code: known, details, hint };
  const sentence = asSentence(message || defaultMessage(facts));
  return createError(sentence, facts, classify(sentence, facts, method));
}

function defaultMessage({ code, status }: ErrorFacts): string {
  if (code === lostConnection) return "The server lost its connection to the database";
  return `The server responded with status ${status}`;
}

/** The status by which an error is classed: that of its code, or else of its response. */
function classify(message: string, { code, status, details }: ErrorFacts, method: string): number {
  // PostgREST answers GET and HEAD in a read-only transaction: this one calls a function that writes.
  if (code === "25006" && (method === "GET" || method === "HEAD")) return status;
  // PostgREST answers 404 to an operator that a column does not have, as to a missing function.
  if (code === "42883" && /operator/.test(message)) return 400;
  // A role in the token that is missing (400 before 13), or that the API must not take on (403).
  if (code === "22023" && /^role .* does not exist\.$/.test(message)) return 401;
  if (code === "42501" && /^permission denied to set role/.test(message)) return 401;
  if (code === "PGRST116" && meetsSeveral(details)) return 409;
  return statusesByCode.find(([codes]) => codes.test(code))?.[1] ?? status;
}

/** Whether the details of PGRST116 count more than no row. */
function meetsSeveral(details: string | undefined): boolean {
  return /\b[1-9]\d* rows/.test(details ?? "");
}

function createError(message: string, facts: ErrorFacts, status: number): ApiError {
  switch (status) {
    case 401:
      return new SignedOutError(`${message} Sign in again.`, facts);
    case 403:
      return new ForbiddenError(`${message} You are not allowed to do this.`, facts);
    case 404:
    case 406:
      return new NotFoundError(`${message} Check the name and the id.`, facts);
    case 409:
      return createConflictError(message, facts);
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

function createConflictError(message: string, facts: ErrorFacts): ConflictError {
  if (facts.code === "PGRST116") {
    return new ConflictError("The id meets several rows. Name the whole key of one.", facts);
  }
  const remedy = "Choose another id, or create the row that it references.";
  return new ConflictError(`${message} ${remedy}`, facts);
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
