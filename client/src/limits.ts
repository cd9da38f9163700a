import { AbortedError, DeadlineError, type RowhouseError } from "./errors.ts";

/** When a call must end: at its deadline, or when the caller says so. */
export interface Limits {
  /** Aborted when the call must end, for whatever reason. */
  readonly signal: AbortSignal;
  /** What the call ends with then; `last` is how it failed before. */
  readonly ended: (requestId: string, last?: RowhouseError) => RowhouseError;
}

/** Timers hold 31 bits of milliseconds; with more they would go off at once. */
const longestMs = 2 ** 31 - 1;

/** Limits that begin now. `timeout` is in milliseconds. */
export function limitsOf(given: AbortSignal | undefined, timeout: number): Limits {
  const deadline = AbortSignal.timeout(Math.min(timeout, longestMs));
  return {
    signal: given ? AbortSignal.any([given, deadline]) : deadline,
    ended: (requestId, last) =>
      given?.aborted
        ? new AbortedError("The call was aborted.", {
            status: 0,
            requestId,
            code: "aborted",
            cause: given.reason,
          })
        : new DeadlineError(
            `No answer within ${timeout} ms. Try again, or allow more time (timeout).`,
            { status: 0, requestId, code: "deadline", cause: last ?? deadline.reason },
          ),
  };
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
 * Waits for so many milliseconds.
 *
 * @throws The limits' error, with `last` as its cause, when the call must end before.
 */
export async function pause(
  limits: Limits,
  ms: number,
  requestId: string,
  last: RowhouseError,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, longestMs));
  });
  try {
    await within(limits, over);
  } catch {
    throw limits.ended(requestId, last);
  } finally {
    clearTimeout(timer);
  }
}
