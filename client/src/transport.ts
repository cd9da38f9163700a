import { pauseMs, type RetryOptions, retryAfterMs, retryBudget, retryPolicy } from "./backoff.ts";
import { InvalidError, type RowhouseError, SignedOutError, UnavailableError } from "./errors.ts";
import { failureOf } from "./failure.ts";
import { type Limits, limitsOf, pause, within } from "./limits.ts";
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
interface Call {
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
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed text, for a call that wants JSON. */
  readonly json: unknown;
  readonly requestId: string;
  /** Whether an earlier sending may have arrived, its answer being lost. */
  readonly uncertain: boolean;
}

/** Sends requests: with token and id, within a deadline, again where that is safe. */
export interface Transport {
  /** Starts the clock of a call, which may send several requests. */
  readonly begin: (options?: CallOptions) => Limits;
  /**
   * @throws RowhouseError one of its classes.
   */
  readonly send: (call: Call) => Promise<Reply>;
  /** The id of the user whom the token names. */
  readonly subject: (limits: Limits) => Promise<string | undefined>;
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
    assertSendable(call);
    const run: Run = { call, base, options, tokens, requestId: uuidv7(), limits: call.limits };
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
      uncertain ||= mayHaveArrived(error);
      const ms = pauseMs(policy, attempt, outcome.retryAfterMs);
      await pause(run.limits, ms, run.requestId, error);
    }
  };

  const begin = ({ signal }: CallOptions = {}) => limitsOf(signal, timeout);
  return {
    begin,
    send,
    subject: async (limits) => subjectOf(await getToken({ tokens, limits, requestId: "" })),
    fetch: asFetch(begin, send, base),
  };
}

/** What stays the same over the attempts of one call. */
interface Run {
  readonly call: Call;
  readonly limits: Limits;
  readonly base: string;
  readonly options: RowhouseOptions;
  readonly tokens: TokenKeeper;
  readonly requestId: string;
}

/** A text in PostgreSQL cannot hold the character NUL, and PostgREST would cut there. */
function assertSendable({ path, query }: Call): void {
  if (!`${path}?${query ?? ""}`.includes("%00")) return;
  throw new InvalidError("A condition holds the character NUL. Leave it out.", {
    status: 0,
    code: "nul",
    requestId: "",
  });
}

async function getToken(run: Pick<Run, "tokens" | "limits" | "requestId">): Promise<string> {
  try {
    return await within(run.limits, run.tokens.get());
  } catch (cause) {
    if (run.limits.signal.aborted) throw run.limits.ended(run.requestId);
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
    return await within(run.limits, run.tokens.renew(token));
  } catch (cause) {
    if (run.limits.signal.aborted) throw run.limits.ended(run.requestId);
    throw new SignedOutError(`${error.message} No other token could be had.`, { ...error, cause });
  }
}

async function attemptOnce(run: Run, token: string, attempt: number): Promise<Answer | Miss> {
  const { call, base, options, requestId } = run;
  const { signal, ended } = run.limits;
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

function mayHaveArrived(error: RowhouseError): boolean {
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

function asFetch(begin: Transport["begin"], send: Transport["send"], base: string): typeof fetch {
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = init.method ?? "GET";
    const { status, headers, text } = await send({
      method,
      path: url.slice(base.length),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === "string" ? { body: JSON.parse(init.body) } : {}),
      limits: begin(init.signal ? { signal: init.signal } : {}),
      safe: method === "GET" || method === "HEAD",
    });
    return new Response(text === "" ? null : text, { status, headers });
  };
}
