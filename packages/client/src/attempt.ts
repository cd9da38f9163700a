import { parseRetryAfter } from "./backoff.ts";
import { type ApiError, type ErrorFacts, UnavailableError } from "./errors.ts";
import { keepDigits } from "./json.ts";
import type { Limits } from "./limits.ts";
import { formatQuery } from "./names.ts";
import type { ClientOptions } from "./options.ts";
import { parseError } from "./parse-error.ts";

/** One call: a request that may be sent several times. */
export interface Call {
  readonly limits: Limits;
  readonly method: string;
  /** Address below the API's: "/tasks". */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Whether sending it twice has the effect of sending it once. */
  readonly idempotent: boolean;
  /** Whether a response that is not JSON was cut off, or came from a proxy. */
  readonly expectJson?: boolean;
}

/** One attempt of a call. */
export interface Attempt {
  readonly call: Call;
  readonly token: string;
  /** 1 for the first. */
  readonly number: number;
  /** The same in every attempt of a call. */
  readonly requestId: string;
  /** Whether an earlier attempt may have reached the server. */
  readonly uncertain: boolean;
}

/** Where requests are sent, and how. */
export interface Endpoint extends Pick<ClientOptions, "fetch" | "onRequest"> {
  /** Address of the API, without a trailing slash. */
  readonly base: string;
}

/** A response with a 2xx status, read whole. */
export interface Success {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed text, for a call that expects JSON. */
  readonly json: unknown;
  readonly requestId: string;
}

/** An attempt that failed. */
export interface Failure {
  readonly error: ApiError;
  /** Whether another attempt may succeed. */
  readonly transient: boolean;
  readonly retryAfterMs: number;
}

/** Statuses of failures that may pass by themselves. */
const transientStatuses = [408, 429, 502, 503, 504, 520];

/**
 * Codes of such failures, whatever status a version of PostgREST gives them: a lost connection, a
 * server that starts, stops or is a standby, a deadlock, a serialization failure, no database.
 */
const transientCodes =
  /^(08...|25006|40P01|40001|53[0-3]..|57P0[1-3]|PGRST00[0-3]|connection_lost)$/;

/** Codes of failures that had no effect: the transaction was rolled back, or could only read. */
const rolledBack = /^(25006|40P01|40001)$/;

/**
 * Sends a request once, and reports it to `onRequest`.
 *
 * @throws DeadlineError, AbortedError when the call must end.
 */
export async function sendAttempt(
  endpoint: Endpoint,
  attempt: Attempt,
): Promise<Success | Failure> {
  const { call, requestId, uncertain } = attempt;
  const { signal, createError } = call.limits;
  const url = `${endpoint.base}${call.path}${call.query?.size ? `?${formatQuery(call.query)}` : ""}`;
  const started = performance.now();
  let status = 0;
  try {
    const response = await (endpoint.fetch ?? fetch)(url, {
      method: call.method,
      headers: buildHeaders(attempt),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal,
    });
    status = response.status;
    return readResponse(attempt, response, await response.text());
  } catch (cause) {
    if (signal.aborted) throw createError(requestId);
    const message = "Could not reach the server, or its response was cut off. Try again later.";
    return fail(message, { status, code: "network", requestId, uncertain, cause });
  } finally {
    const durationMs = performance.now() - started;
    const { method } = call;
    endpoint.onRequest?.({ method, url, status, attempt: attempt.number, durationMs, requestId });
  }
}

/** Whether a failed attempt may have had an effect all the same. */
export function mayHaveArrived(error: ApiError): boolean {
  return error instanceof UnavailableError && !rolledBack.test(error.code);
}

/** Whether another attempt may succeed. */
function isTransient(error: ApiError): boolean {
  // A limit of the configuration, as of temporary files, is met again: 503 before PostgREST 12.2.
  if (error.code === "53400") return false;
  if (transientStatuses.includes(error.status)) return true;
  return error instanceof UnavailableError && transientCodes.test(error.code);
}

function readResponse(
  { call, requestId, uncertain }: Attempt,
  { ok, status, headers }: Response,
  text: string,
): Success | Failure {
  if (!ok) {
    const error = parseError(text, { status, requestId, uncertain }, call.method);
    return {
      error,
      transient: isTransient(error),
      retryAfterMs: parseRetryAfter(headers.get("retry-after")),
    };
  }
  const success = { status, headers, text, requestId };
  if (!call.expectJson || status === 204) return { ...success, json: undefined };
  try {
    return { ...success, json: JSON.parse(keepDigits(text)) };
  } catch (cause) {
    const message = "A proxy sent no JSON, or its response was cut off. Try again later.";
    return fail(message, { status, code: "not_json", requestId, uncertain, cause });
  }
}

/** No response, or half of one: another attempt may succeed. */
function fail(message: string, facts: ErrorFacts): Failure {
  return { error: new UnavailableError(message, facts), transient: true, retryAfterMs: 0 };
}

function buildHeaders({ call, token, requestId }: Attempt): Headers {
  const all = new Headers({ Accept: "application/json" });
  if (call.body !== undefined) all.set("Content-Type", "application/json");
  // One by one: postgrest-js may spell a name differently, and none may stand there twice.
  for (const [name, value] of new Headers(call.headers)) all.set(name, value);
  all.set("Authorization", `Bearer ${token}`);
  all.set("X-Request-Id", requestId);
  return all;
}
