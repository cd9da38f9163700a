import { note } from "./output.ts";

/**
 * Resolves at the first Ctrl-C, SIGTERM, or end of the terminal. At the second this process ends
 * at once, and the watchdog ends the servers.
 */
export function waitForSignal(): Promise<NodeJS.Signals> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      resolve(signal);
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}

/**
 * Lets work be interrupted: Ctrl-C sets the signal, and when the work has cleaned up after itself
 * this process ends with exit code 130.
 *
 * @param ending Resolves when the work is to be interrupted; afterwards it can be waited for again.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ending: Promise<unknown> = waitForSignal(),
): Promise<T> {
  const controller = new AbortController();
  void ending.then(() => controller.abort(new Error("Interrupted.")));
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    note("Interrupted.");
    return process.exit(130);
  }
}
