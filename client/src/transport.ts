import { type Answer, attemptOnce, type Call, mayHaveArrived } from "./attempt.ts";
import { pauseMs, retryBudget, retryPolicy } from "./backoff.ts";
import { InvalidError, type RowhouseError, SignedOutError, unsent } from "./errors.ts";
import { type Limits, limitsOf, pause, within } from "./limits.ts";
import type { CallOptions, RowhouseOptions } from "./options.ts";
import { subjectOf, type TokenKeeper, tokenKeeper } from "./token.ts";
import { uuidv7 } from "./uuid.ts";

/** An answer, and what is known of the attempts before it. */
export interface Reply extends Answer {
  /** Whether an earlier sending may have arrived, its answer being lost. */
  readonly uncertain: boolean;
}

/** Sends requests: with token and id, within a deadline, again where that is safe. */
export interface Transport {
  /** Address of the API, without a slash at its end. */
  readonly base: string;
  /** Starts the clock of a call, which may send several requests. */
  readonly begin: (options?: CallOptions) => Limits;
  /** @throws RowhouseError one of its classes. */
  readonly send: (call: Call) => Promise<Reply>;
  /** The id of the user whom the token names. */
  readonly subject: (limits: Limits) => Promise<string | undefined>;
  /** A fetch with the same token, deadline, retries and errors, for postgrest-js. */
  readonly fetch: typeof fetch;
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
    const { limits } = call;
    const requestId = uuidv7();
    let token = await getToken(tokens, limits, requestId);
    let renewed = false;
    let uncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await attemptOnce({ call, base, options, requestId }, token, attempt);
      if (!("error" in outcome)) {
        budget.succeeded();
        return { ...outcome, uncertain };
      }
      const { error } = outcome;
      const fresh = renewed ? undefined : await renewal(tokens, limits, error, token);
      if (fresh !== undefined) {
        renewed = true;
        token = fresh;
        continue;
      }
      const again = outcome.passing && budget.failed() && call.safe && attempt < policy.attempts;
      if (!again) throw Object.assign(error, { uncertain });
      uncertain ||= mayHaveArrived(error);
      const ms = pauseMs(policy, attempt, outcome.retryAfterMs);
      await pause(limits, ms, requestId, error);
    }
  };

  const begin = ({ signal }: CallOptions = {}) => limitsOf(signal, timeout);
  return {
    base,
    begin,
    send,
    subject: async (limits) => subjectOf(await getToken(tokens, limits, "")),
    fetch: asFetch(begin, send, base),
  };
}

/** A text in PostgreSQL cannot hold the character NUL, and PostgREST would cut there. */
function assertSendable({ path, query }: Call): void {
  if (!`${path}?${query ?? ""}`.includes("%00")) return;
  throw new InvalidError("A condition holds the character NUL. Leave it out.", unsent("nul"));
}

async function getToken(tokens: TokenKeeper, limits: Limits, requestId: string): Promise<string> {
  try {
    return await within(limits, tokens.get());
  } catch (cause) {
    if (limits.signal.aborted) throw limits.ended(requestId);
    throw new SignedOutError("No token could be had. Sign in again.", {
      ...unsent("token"),
      cause,
    });
  }
}

/** Another token, when that can help. */
async function renewal(
  tokens: TokenKeeper,
  limits: Limits,
  error: RowhouseError,
  token: string,
): Promise<string | undefined> {
  if (!(error instanceof SignedOutError)) return undefined;
  try {
    return await within(limits, tokens.renew(token));
  } catch (cause) {
    if (limits.signal.aborted) throw limits.ended(error.requestId);
    throw new SignedOutError(`${error.message} No other token could be had.`, { ...error, cause });
  }
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
