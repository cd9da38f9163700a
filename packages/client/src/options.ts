import type { RetryOptions } from "./backoff.ts";
import type { TokenSource } from "./token.ts";

/** What is reported of each attempt, for logs and metrics. It holds no token and no body. */
export interface RequestEvent {
  readonly method: string;
  readonly url: string;
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly durationMs: number;
  readonly requestId: string;
}

/** Options of `createClient`. */
export interface ClientOptions {
  /** Address of the API: "https://api.example.com". */
  readonly url: string;
  /** The user's JWT, or a function that gets one; it is called again after a 401. */
  readonly token: TokenSource;
  /** How long a call may take, retries included, in milliseconds. Default 10,000. */
  readonly timeout?: number;
  /** How reads and idempotent writes are retried; `false` for never. */
  readonly retry?: RetryOptions | false;
  /** Used instead of the global fetch. */
  readonly fetch?: typeof fetch;
  /** Called after each attempt. */
  readonly onRequest?: (event: RequestEvent) => void;
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the call early: it throws AbortedError. */
  readonly signal?: AbortSignal;
}
