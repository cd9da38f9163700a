/** How calls are retried. */
export interface RetryOptions {
  /** The most attempts of a call, the first included. Default 4. */
  readonly attempts?: number;
  /** Ceiling of the first pause, in milliseconds; it doubles with each. Default 200. */
  readonly baseMs?: number;
  /** Ceiling of every pause, in milliseconds. Default 5,000. */
  readonly maxMs?: number;
  /** Floor of every pause, in milliseconds. Default 50. */
  readonly minMs?: number;
}

/** Retry options with every default filled in. */
export type RetryPolicy = Required<RetryOptions>;

/** Fills in the defaults; `false` means one attempt. */
export function createRetryPolicy(options: RetryOptions | false = {}): RetryPolicy {
  const defaults = { attempts: 4, baseMs: 200, maxMs: 5_000, minMs: 50 };
  return options === false ? { ...defaults, attempts: 1 } : { ...defaults, ...options };
}

/**
 * The pause before the next attempt, in milliseconds: full jitter (a random part of a ceiling that
 * doubles), never below the floor, and never below what Retry-After asks for.
 *
 * @param attempt How many attempts were made: 1 after the first.
 */
export function pauseMs(policy: RetryPolicy, attempt: number, retryAfterMs = 0): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.max(policy.minMs, retryAfterMs, Math.random() * ceiling);
}

/** Retry-After in milliseconds: it holds seconds or a date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(header: string | null, now = Date.now()): number {
  if (header === null) return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(header) ? Date.parse(header) : Number.NaN;
  return Math.max(0, (date || now) - now);
}
