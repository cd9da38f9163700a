import { retryAfterMs } from "./backoff.ts";
import { type RowhouseError, UnavailableError } from "./errors.ts";
import { failureOf } from "./failure.ts";
import type { Limits } from "./limits.ts";
import type { RowhouseOptions } from "./options.ts";

/** One request. */
export interface Call {
  readonly limits: Limits;
  readonly method: string;
  /** Address without the API's: "/tasks". */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Whether sending it twice does no more than once. */
  readonly safe: boolean;
  /** Whether an answer that is no JSON was cut off, or came from something in between. */
  readonly json?: boolean;
}

/** An answer with a 2xx status, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed text, for a call that wants JSON. */
  readonly json: unknown;
  readonly requestId: string;
}

/** An attempt that came to nothing. */
export interface Miss {
  readonly error: RowhouseError;
  /** Whether another one may do better. */
  readonly passing: boolean;
  readonly retryAfterMs: number;
}

/** What stays the same over the attempts of one call. */
export interface Run {
  readonly call: Call;
  /** Address of the API, without a slash at its end. */
  readonly base: string;
  readonly options: Pick<RowhouseOptions, "fetch" | "onRequest">;
  readonly requestId: string;
}

/** Statuses that may pass by themselves. */
const passing = new Set([408, 429, 502, 503, 504, 520]);

/** SQLSTATEs of a deadlock and a serialization failure: nothing was done. */
const undone = new Set(["40P01", "40001"]);

/**
 * Sends a request once, and tells `onRequest` of it.
 *
 * @param attempt 1 for the first.
 * @throws DeadlineError, AbortedError when the call must end.
 */
export async function attemptOnce(
  { call, base, options, requestId }: Run,
  token: string,
  attempt: number,
): Promise<Answer | Miss> {
  const { signal, ended } = call.limits;
  const url = `${base}${call.path}${call.query?.size ? `?${call.query}` : ""}`;
  const started = performance.now();
  let status = 0;
  try {
    const response = await (options.fetch ?? fetch)(url, {
      method: call.method,
      headers: headersOf(call, token, requestId),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal,
    });
    status = response.status;
    const text = await response.text();
    if (response.ok) {
      const answer = { status, headers: response.headers, text, requestId };
      return call.json && status !== 204 ? parsed(answer) : { ...answer, json: undefined };
    }
    return miss(failureOf(status, text, requestId), response.headers.get("retry-after"));
  } catch (cause) {
    if (signal.aborted) throw ended(requestId);
    const message = "The server could not be reached, or the answer was cut off. Try again later.";
    const error = new UnavailableError(message, { status, code: "network", requestId, cause });
    return { error, passing: true, retryAfterMs: 0 };
  } finally {
    const durationMs = performance.now() - started;
    options.onRequest?.({ method: call.method, url, status, attempt, durationMs, requestId });
  }
}

/** Whether an attempt that came to nothing may have reached the server all the same. */
export function mayHaveArrived(error: RowhouseError): boolean {
  return error instanceof UnavailableError && !undone.has(error.code);
}

/** Half an answer is as good as none: it may be sent again. */
function parsed(answer: Omit<Answer, "json">): Answer | Miss {
  try {
    return { ...answer, json: JSON.parse(answer.text) };
  } catch (cause) {
    const { status, requestId } = answer;
    const message =
      "The answer is no JSON: it was cut off, or something in between gave it. Try again later.";
    const error = new UnavailableError(message, { status, code: "not_json", requestId, cause });
    return { error, passing: true, retryAfterMs: 0 };
  }
}

function miss(error: RowhouseError, retryAfter: string | null): Miss {
  return {
    error,
    passing: passing.has(error.status) || undone.has(error.code),
    retryAfterMs: retryAfterMs(retryAfter),
  };
}

function headersOf({ headers, body }: Call, token: string, requestId: string): Headers {
  const all = new Headers({ Accept: "application/json" });
  if (body !== undefined) all.set("Content-Type", "application/json");
  // One by one: postgrest-js spells the names in its own way, and none may stand there twice.
  for (const [name, value] of new Headers(headers)) all.set(name, value);
  all.set("Authorization", `Bearer ${token}`);
  all.set("X-Request-Id", requestId);
  return all;
}
