import {
  ConflictError,
  type ErrorFacts,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  RateLimitedError,
  RowhouseError,
  SignedOutError,
  StaleError,
  TooLargeError,
  UnavailableError,
} from "./errors.ts";

/** The body of PostgREST's errors, as far as it could be read. */
interface Body {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly details?: string | undefined;
  readonly hint?: string | undefined;
}

/** The typed error of an answer that is not a 2xx. */
export function failureOf(status: number, text: string, requestId: string): RowhouseError {
  const body = parse(text);
  const facts: ErrorFacts = {
    status,
    code: body.code ?? `HTTP${status}`,
    requestId,
    details: body.details,
    hint: body.hint,
  };
  const said = sentence(body.message ?? `The server answered ${status}`);
  return classify(said, facts);
}

function classify(said: string, facts: ErrorFacts): RowhouseError {
  // PostgREST answers 404 to an operator that a column does not have, as to a missing function.
  const status = facts.code === "42883" && /operator/.test(said) ? 400 : facts.status;
  switch (status) {
    case 401:
      return new SignedOutError(`${said} Sign in again.`, facts);
    case 403:
      return new ForbiddenError(`${said} It is not yours to read or change.`, facts);
    case 404:
    case 406:
      return new NotFoundError(`${said} Check the name and the id.`, facts);
    case 409:
      return new ConflictError(`${said} Choose another id, or create what it points at.`, facts);
    case 412:
      return new StaleError(`${said} Read it again, then decide.`, facts);
    case 413:
    case 414:
    case 431:
      return new TooLargeError(`${said} Send less at once.`, facts);
    case 429:
      return new RateLimitedError(`${said} Wait, then try again.`, facts);
    case 400:
    case 422:
      return new InvalidError(
        `${said} Correct it and send it again.`,
        facts,
        ...faultIn(said, facts.code),
      );
    default:
      if (status === 408 || status >= 500) {
        return new UnavailableError(`${said} Try again later.`, facts);
      }
      return new RowhouseError(`${said} Check what was asked for.`, facts);
  }
}

/** PostgreSQL ends its messages without a full stop, and we go on after it. */
function sentence(said: string): string {
  return /[.!?]$/.test(said) ? said : `${said}.`;
}

/** Reads the column and the rule out of the messages of PostgreSQL and PostgREST. */
function faultIn(said: string, code: string): [column?: string | undefined, rule?: string] {
  if (code === "23502") return [/column "([^"]+)"/.exec(said)?.[1], "not null"];
  if (code === "PGRST204") {
    return [/'([^']+)' (?:column )?of (?:relation )?'/i.exec(said)?.[1], "unknown column"];
  }
  if (code === "42703")
    return [/column [^ ]*?(\w+) does not exist/.exec(said)?.[1], "unknown column"];
  if (code !== "23514") return [];
  const [, table = "", rule = ""] = /relation "([^"]+)".*constraint "([^"]+)"/.exec(said) ?? [];
  return [columnOf(table, rule), rule];
}

/** The house names constraints table_column_rule; a rule is one word or "not_blank". */
function columnOf(table: string, rule: string): string | undefined {
  if (!rule.startsWith(`${table}_`)) return undefined;
  return rule.slice(table.length + 1).replace(/_(not_)?[a-z0-9]+$/, "") || undefined;
}

function parse(text: string): Body {
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
    return {}; // A proxy's page, or nothing: the status has to tell.
  }
}
