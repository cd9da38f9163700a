import { AbortedError, type ApiError, DeadlineError, unsent } from "./errors.ts";

/** When a call must end: at its deadline, or when the caller aborts it. */
export interface Limits {
  /** Aborted when the call must end, for whatever reason. */
  readonly signal: AbortSignal;
  /** The error that the call then ends with; `last` is the error of the last attempt. */
  readonly createError: (requestId: string, last?: ApiError) => ApiError;
}

/** Timers hold 31 bits of milliseconds; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Starts the clock of a call.
 *
 * @param given The caller's own signal.
 * @param timeout In milliseconds.
 */
export function startLimits(given: AbortSignal | undefined, timeout: number): Limits {
  const deadline = AbortSignal.timeout(Math.min(timeout, maxTimerMs));
  return {
    signal: given ? anySignal([given, deadline]) : deadline,
    createError: (requestId, last) =>
      given?.aborted
        ? new AbortedError("The call was aborted.", {
            ...unsent("aborted"),
            requestId,
            cause: given.reason,
          })
        : new DeadlineError(
            `No response within ${timeout} ms. Try again, or increase the timeout.`,
            { ...unsent("deadline"), requestId, cause: last ?? deadline.reason },
          ),
  };
}

/** A signal that aborts with the first of these. */
function anySignal(signals: AbortSignal[]): AbortSignal {
  if ("any" in AbortSignal) return AbortSignal.any(signals);
  // Edge runtimes, and Safari before 17.4.
  const controller = new AbortController();
  for (const signal of signals) {
    const onAbort = () => controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
  }
  return controller.signal;
}

/** The promise's result; rejects when the call must end before. */
export function within<T>({ signal }: Limits, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/**
 * Waits before the next attempt.
 *
 * @param last The error of the last attempt.
 * @throws The limits' error when the call must end before.
 */
export async function pause(limits: Limits, ms: number, last: ApiError): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, maxTimerMs));
  });
  try {
    await within(limits, over);
  } catch {
    throw limits.createError(last.requestId, last);
  } finally {
    clearTimeout(timer);
  }
}
