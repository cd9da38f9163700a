import { pauseMs, type RetryOptions, retryAfterMs, retryBudget, retryPolicy } from "./backoff.ts";
import {
  AbortedError,
  DeadlineError,
  type RowhouseError,
  SignedOutError,
  UnavailableError,
} from "./errors.ts";
import { failureOf } from "./failure.ts";
import { subjectOf, type TokenKeeper, type TokenSource, tokenKeeper } from "./token.ts";
import { uuidv7 } from "./uuid.ts";

/** What is told of each attempt, for logs and metrics. It holds no token and no body. */
export interface RequestEvent {
  readonly method: string;
  readonly url: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly durationMs: number;
  readonly requestId: string;
}

/** Options of `createRowhouse`. */
export interface RowhouseOptions {
  /** Address of the API: "https://api.example.com". */
  readonly url: string;
  /** The user's JWT, or a function that gets one; it is asked again after a 401. */
  readonly token: TokenSource;
  /** How long a call may take, retries included, in milliseconds. Default 10,000. */
  readonly timeout?: number;
  /** How reads and safe writes are sent again; `false` never. */
  readonly retry?: RetryOptions | false;
  /** Instead of the global fetch. */
  readonly fetch?: typeof fetch;
  /** Told of each attempt. */
  readonly onRequest?: (event: RequestEvent) => void;
}

/** What every call of the client takes. */
export interface CallOptions {
  /** Ends the call early: it throws AbortedError. */
  readonly signal?: AbortSignal;
}

/** One request. */
interface Call extends CallOptions {
  readonly method: string;
  /** Address without the API's: "/tasks". */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Whether sending it twice does no more than once. */
  readonly safe: boolean;
}

/** An answer with a 2xx status, read whole. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly requestId: string;
  /** Whether an earlier sending may have arrived, its answer being lost. */
  readonly uncertain: boolean;
}

/** Sends requests: with token and id, within a deadline, again where that is safe. */
export interface Transport {
  /**
   * @throws RowhouseError one of its classes.
   */
  readonly send: (call: Call) => Promise<Reply>;
  /** The id of the user whom the token names. */
  readonly subject: () => Promise<string | undefined>;
  /** A fetch with the same token, deadline, retries and errors, for postgrest-js. */
  readonly fetch: typeof fetch;
}

/** Statuses that may pass by themselves. */
const passing = new Set([408, 429, 502, 503, 504, 520]);

/** SQLSTATEs of a deadlock and a serialization failure: nothing was done. */
const undone = new Set(["40P01", "40001"]);

type Answer = Omit<Reply, "uncertain">;

/** One attempt that came to nothing. */
interface Miss {
  readonly error: RowhouseError;
  readonly passing: boolean;
  readonly retryAfterMs: number;
}

/** Makes the transport of a client. */
export function createTransport(options: RowhouseOptions): Transport {
  const base = options.url.replace(/\/+$/, "");
  const tokens = tokenKeeper(options.token);
  const policy = retryPolicy(options.retry);
  const budget = retryBudget();
  const timeout = options.timeout ?? 10_000;

  const send = async (call: Call): Promise<Reply> => {
    const run: Run = { call, base, options, tokens, requestId: uuidv7(), ...limits(call, timeout) };
    let token = await getToken(run);
    let renewed = false;
    let uncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await attemptOnce(run, token, attempt);
      if (!("error" in outcome)) {
        budget.succeeded();
        return { ...outcome, uncertain };
      }
      const { error } = outcome;
      const fresh = renewed ? undefined : await renewal(run, error, token);
      if (fresh !== undefined) {
        renewed = true;
        token = fresh;
        continue;
      }
      const again = outcome.passing && budget.failed() && call.safe && attempt < policy.attempts;
      if (!again) throw Object.assign(error, { uncertain });
      uncertain ||= error instanceof UnavailableError;
      await pause(run, pauseMs(policy, attempt, outcome.retryAfterMs), error);
    }
  };

  return {
    send,
    subject: async () => subjectOf(await getToken({ tokens, ...limits({}, timeout) })),
    fetch: asFetch(send, base),
  };
}

/** What stays the same over the attempts of one call. */
interface Run extends Limits {
  readonly call: Call;
  readonly base: string;
  readonly options: RowhouseOptions;
  readonly tokens: TokenKeeper;
  readonly requestId: string;
}

interface Limits {
  /** Aborted when the call must end, for whatever reason. */
  readonly signal: AbortSignal;
  /** What the call ends with when `signal` is aborted. */
  readonly ended: () => RowhouseError;
}

function limits({ signal: given }: CallOptions, timeout: number): Limits {
  const deadline = AbortSignal.timeout(timeout);
  const facts = { status: 0, requestId: "" };
  return {
    signal: given ? AbortSignal.any([given, deadline]) : deadline,
    ended: () =>
      given?.aborted
        ? new AbortedError("The call was aborted.", {
            ...facts,
            code: "aborted",
            cause: given.reason,
          })
        : new DeadlineError(
            `No answer within ${timeout} ms. Try again, or allow more time (timeout).`,
            { ...facts, code: "deadline", cause: deadline.reason },
          ),
  };
}

async function getToken(run: Pick<Run, "tokens" | "signal" | "ended">): Promise<string> {
  try {
    return await within(run, run.tokens.get());
  } catch (cause) {
    if (run.signal.aborted) throw run.ended();
    throw new SignedOutError("No token could be had. Sign in again.", {
      status: 0,
      code: "token",
      requestId: "",
      cause,
    });
  }
}

/** Another token, when that can help. */
async function renewal(run: Run, error: RowhouseError, token: string): Promise<string | undefined> {
  if (!(error instanceof SignedOutError)) return undefined;
  try {
    return await within(run, run.tokens.renew(token));
  } catch (cause) {
    if (run.signal.aborted) throw run.ended();
    throw new SignedOutError(`${error.message} No other token could be had.`, { ...error, cause });
  }
}

async function attemptOnce(run: Run, token: string, attempt: number): Promise<Answer | Miss> {
  const { call, base, options, requestId, signal } = run;
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
    if (response.ok) return { status, headers: response.headers, text, requestId };
    return miss(failureOf(status, text, requestId), response.headers.get("retry-after"));
  } catch (cause) {
    if (signal.aborted) throw run.ended();
    const message = "The server could not be reached, or the answer was cut off. Try again later.";
    const error = new UnavailableError(message, { status, code: "network", requestId, cause });
    return { error, passing: true, retryAfterMs: 0 };
  } finally {
    const durationMs = performance.now() - started;
    options.onRequest?.({ method: call.method, url, status, attempt, durationMs, requestId });
  }
}

function miss(error: RowhouseError, retryAfter: string | null): Miss {
  return {
    error,
    passing: passing.has(error.status) || undone.has(error.code),
    retryAfterMs: retryAfterMs(retryAfter),
  };
}

function headersOf({ headers, body }: Call, token: string, requestId: string) {
  return {
    Accept: "application/json",
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...headers,
    Authorization: `Bearer ${token}`,
    "X-Request-Id": requestId,
  };
}

/** Waits before the next attempt; gives the last error when the deadline would pass meanwhile. */
async function pause(run: Run, ms: number, last: RowhouseError): Promise<void> {
  await within(run, new Promise((resolve) => setTimeout(resolve, ms))).catch(() => {
    const ended = run.ended();
    ended.cause ??= last;
    throw ended;
  });
}

/** The promise's result; rejects when the call must end before. */
function within<T>({ signal }: Pick<Run, "signal">, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function asFetch(send: Transport["send"], base: string): typeof fetch {
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = init.method ?? "GET";
    const { status, headers, text } = await send({
      method,
      path: url.slice(base.length),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === "string" ? { body: JSON.parse(init.body) } : {}),
      ...(init.signal ? { signal: init.signal } : {}),
      safe: method === "GET" || method === "HEAD",
    });
    return new Response(text === "" ? null : text, { status, headers });
  };
}
