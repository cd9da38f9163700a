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
  // Connections, resources, operators, the system, faults; PostgREST that has no database. Other
  // statuses have 25006 (405: the server is a standby) and, before 12.2, 42P17 (400: a policy that
  // asks itself: to ask again does not help).
  [/^((08|40|53|57|58|XX)...|25006|42P17|PGRST00[0-3]|PGRSTX00|connection_lost)$/, 503],
  [/^54...$/, 413], // 500 since 12.2
  // A row twice in an upsert (500 since 12.2), and no such media type (415, or 406 since 12.2).
  [/^(21000|PGRST107)$/, 400],
  [/^PGRST30[1-3]$/, 401],
  [/^(42P01|PGRST20[25])$/, 404],
  [/^23(001|503|505)$/, 409], // 400 for 23001: "on delete restrict" since PostgreSQL 18
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

/** The class of a status, and what to do. */
const classes: Readonly<Record<number, readonly [typeof ApiError, remedy: string]>> = {
  401: [SignedOutError, "Sign in again."],
  403: [ForbiddenError, "You are not allowed to do this."],
  404: [NotFoundError, "Check the name and the id."],
  406: [NotFoundError, "Check the name and the id."],
  408: [UnavailableError, "Try again later."],
  409: [ConflictError, "Choose another id, or create the row that it references."],
  412: [StaleError, "Read it again, then decide."],
  413: [TooLargeError, "Send less."],
  414: [TooLargeError, "Send less."],
  429: [RateLimitedError, "Wait, then try again."],
  431: [TooLargeError, "Send less."],
  503: [UnavailableError, "Try again later."],
};

function createError(message: string, facts: ErrorFacts, status: number): ApiError {
  if (status === 400 || status === 422) return createInvalidError(message, facts);
  const [Class, remedy] = classes[status >= 500 ? 503 : status] ?? [ApiError, "Check the request."];
  if (Class === ConflictError && facts.code === "PGRST116") {
    return new Class("The id meets several rows. Name the whole key of one.", facts);
  }
  return new Class(`${message} ${remedy}`, facts);
}

/** The rules that are no constraint with a name. */
const rules: Readonly<Record<string, string>> = {
  23502: "not null",
  42703: "unknown column",
  PGRST204: "unknown column",
};

/** Where messages of PostgreSQL and PostgREST name a column. */
const namedColumn =
  /column "([^"]+)"|'([^']+)' (?:column )?of (?:relation )?'|column [^ ]*?(\w+) does not exist/i;

/** Reads the column and the rule out of the messages of PostgreSQL and PostgREST. */
function createInvalidError(message: string, facts: ErrorFacts): InvalidError {
  const [, table = "", constraint] = /relation "([^"]+)".*constraint "([^"]+)"/.exec(message) ?? [];
  const rule = rules[facts.code] ?? (facts.code === "23514" ? constraint : undefined);
  const named = rules[facts.code] && namedColumn.exec(message)?.slice(1).find(Boolean);
  const column = named ?? (rule && parseColumn(table, rule));
  return new InvalidError(`${message} Correct it and send it again.`, facts, column, rule);
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
