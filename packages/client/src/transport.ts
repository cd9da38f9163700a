import { type Call, type Endpoint, mayHaveArrived, type Success, sendAttempt } from "./attempt.ts";
import { createRetryPolicy, pauseMs, type RetryPolicy } from "./backoff.ts";
import { createRetryBudget, type RetryBudget } from "./budget.ts";
import { ApiError, refused, SignedOutError, unsent } from "./errors.ts";
import { keepDigits } from "./json.ts";
import { type Limits, pause, startLimits, within } from "./limits.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { createTokenCache, readSubject, type TokenCache } from "./token.ts";
import { uuidv7 } from "./uuid.ts";

/** The response to a call, and what is known of the attempts before it. */
export interface Result extends Success {
  /** Whether an earlier attempt may have reached the server, its response being lost. */
  readonly uncertain: boolean;
}

/** Sends calls: with a token and an id, within a deadline, and retried where that is safe. */
export interface Transport {
  /** Address of the API, without a trailing slash. */
  readonly base: string;
  /** Starts the clock of a call, which may send several requests. */
  readonly startLimits: (options?: CallOptions) => Limits;
  /** @throws ApiError one of its classes. */
  readonly send: (call: Call) => Promise<Result>;
  /** The id of the user that the token names. */
  readonly getSubject: (limits: Limits) => Promise<string | undefined>;
  /** A fetch with the same token, deadline, retries and errors, for postgrest-js. */
  readonly fetch: typeof fetch;
  /** The most rows that one page has held: the server cuts none that is shorter. */
  readonly pages: { largest: number };
}

/** What all calls of a client share. */
interface Connection {
  readonly endpoint: Endpoint;
  readonly tokens: TokenCache;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
}

/** Makes the transport of a client. */
export function createTransport(options: ClientOptions): Transport {
  const base = options.url.replace(/\/+$/, "");
  const connection: Connection = {
    endpoint: { ...options, base },
    tokens: createTokenCache(options.token),
    policy: createRetryPolicy(options.retry),
    budget: createRetryBudget(),
  };
  const transport: Omit<Transport, "fetch"> = {
    base,
    pages: { largest: 0 },
    startLimits: ({ signal } = {}) => startLimits(signal, options.timeout ?? 10_000),
    send: (call) => send(connection, call),
    getSubject: async (limits) => readSubject(await getToken(connection.tokens, limits, "")),
  };
  return { ...transport, fetch: createFetch(transport) };
}

/** Sends a call until an attempt succeeds or no further one is allowed. */
async function send(connection: Connection, call: Call): Promise<Result> {
  assertSendable(call);
  const { endpoint, tokens, policy, budget } = connection;
  const { limits } = call;
  const requestId = uuidv7();
  let token: string | undefined;
  let renewed = false;
  let uncertain = false;
  for (let number = 1; ; number += 1) {
    // Each time: the user may have signed out while the call waited.
    token = await getToken(tokens, limits, requestId, token);
    const outcome = await sendAttempt(endpoint, { call, token, number, requestId, uncertain });
    if (!("error" in outcome)) {
      budget.recordSuccess();
      return { ...outcome, uncertain };
    }
    const { error } = outcome;
    if (!renewed && (await renewToken(tokens, limits, error, token))) {
      renewed = true;
      continue;
    }
    if (!outcome.transient) throw error;
    // Counted also when this call may not be retried: the budget is about the server.
    budget.recordFailure();
    if (!call.idempotent || number >= policy.attempts || !budget.allowsRetry()) throw error;
    uncertain ||= mayHaveArrived(error);
    await pause(limits, pauseMs(policy, number, outcome.retryAfterMs), error);
  }
}

/** A text in PostgreSQL cannot hold the character NUL, and PostgREST would cut there. */
function assertSendable({ path, query }: Call): void {
  if (!`${path}?${query ?? ""}`.includes("%00")) return;
  throw refused("nul", "A condition has a NUL character.");
}

/** @throws ApiError that the source throws; SignedOutError for any other error of it. */
async function getToken(
  tokens: TokenCache,
  limits: Limits,
  requestId: string,
  last?: string,
): Promise<string> {
  try {
    return await within(limits, tokens.get(last));
  } catch (cause) {
    if (limits.signal.aborted) throw limits.createError(requestId);
    if (cause instanceof ApiError) throw cause;
    const message = "Could not get a token. Sign in again.";
    throw new SignedOutError(message, { ...unsent("token"), cause });
  }
}

/** Another token, when the error says that this one was refused. */
async function renewToken(
  tokens: TokenCache,
  limits: Limits,
  error: ApiError,
  token: string,
): Promise<string | undefined> {
  if (!(error instanceof SignedOutError)) return undefined;
  try {
    return await within(limits, tokens.renew(token));
  } catch (cause) {
    if (limits.signal.aborted) throw limits.createError(error.requestId);
    if (cause instanceof ApiError) throw cause;
    throw new SignedOutError(`${error.message} Could not get a new token.`, { ...error, cause });
  }
}

function createFetch({
  base,
  startLimits,
  send,
}: Pick<Transport, "base" | "startLimits" | "send">): typeof fetch {
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = init.method ?? "GET";
    const { status, headers, text } = await send({
      method,
      path: url.slice(base.length),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(typeof init.body === "string" ? { body: JSON.parse(init.body) } : {}),
      limits: startLimits(init.signal ? { signal: init.signal } : {}),
      idempotent: method === "GET" || method === "HEAD",
    });
    return new Response(text === "" ? null : keepDigits(text), { status, headers });
  };
}
