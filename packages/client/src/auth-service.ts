import { parseAuthError } from "./auth-errors.ts";
import type { AuthOptions } from "./auth-types.ts";
import { createRetryPolicy, parseRetryAfter, pauseMs } from "./backoff.ts";
import { UnavailableError } from "./errors.ts";
import { type Limits, pause, startLimits } from "./limits.ts";

/** One call of the sign-in service. */
export interface ServiceCall {
  /** Below the service's address: "/sign-in/email". */
  readonly path: string;
  /** Sent as JSON, by POST; without one it is a GET. */
  readonly body?: object;
  /** The token of the session. */
  readonly session?: string;
  /** What a sign-in of several steps must remember. */
  readonly state?: string | null;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may be sent again when the service cannot be reached. */
  readonly idempotent?: boolean;
}

/** An answer of the sign-in service with a 2xx status. */
export interface ServiceAnswer {
  /** The service's word is taken for what is in it. */
  // biome-ignore lint/suspicious/noExplicitAny: each call knows what it asked for
  readonly json: any;
  /** The token of a session that has begun, or was renewed. */
  readonly session: string | null;
  readonly state: string | null;
}

/**
 * Sends a call.
 *
 * @throws AuthError, SignedOutError, TooManyAttemptsError, UnavailableError, DeadlineError,
 *   AbortedError.
 */
export type Service = (call: ServiceCall) => Promise<ServiceAnswer>;

/** Makes the connection to a sign-in service. It uses no cookies. */
export function createService(options: AuthOptions): Service {
  const policy = createRetryPolicy(options.retry);
  return async (call) => {
    const limits = startLimits(call.signal, options.timeout ?? 10_000);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(options, call, limits);
      } catch (error) {
        if (!call.idempotent || attempt >= policy.attempts) throw error;
        if (!(error instanceof UnavailableError)) throw error;
        await pause(limits, pauseMs(policy, attempt), error);
      }
    }
  };
}

async function send(
  options: AuthOptions,
  call: ServiceCall,
  limits: Limits,
): Promise<ServiceAnswer> {
  const { status, ok, headers, text } = await request(options, call, limits);
  const json = parseJson(text);
  if (!ok) {
    const seconds = Math.ceil(parseRetryAfter(headers.get("retry-after")) / 1000);
    throw parseAuthError(status, json, seconds);
  }
  if (json === undefined) throw unreachable("not_json", status);
  return { json, session: headers.get("set-auth-token"), state: headers.get("set-auth-state") };
}

async function request(options: AuthOptions, call: ServiceCall, { signal, createError }: Limits) {
  const { body, session, state } = call;
  try {
    const response = await (options.fetch ?? fetch)(serviceUrl(options, call.path), {
      method: body ? "POST" : "GET",
      headers: {
        Accept: "application/json",
        ...(body && { "Content-Type": "application/json" }),
        ...(session && { Authorization: `Bearer ${session}` }),
        ...(state && { "Auth-State": state }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal,
    });
    const { status, ok, headers } = response;
    return { status, ok, headers, text: await response.text() };
  } catch (cause) {
    if (signal.aborted) throw createError("");
    throw unreachable("network", 0, cause);
  }
}

/** An address of the service. */
export function serviceUrl({ url }: Pick<AuthOptions, "url">, path: string): string {
  return url.replace(/\/+$/, "") + path;
}

function unreachable(code: string, status: number, cause?: unknown): UnavailableError {
  const message =
    "Could not reach the sign-in service, or its answer was cut off. Try again later.";
  return new UnavailableError(message, { status, code, requestId: "", cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A proxy's page, or half an answer.
  }
}
