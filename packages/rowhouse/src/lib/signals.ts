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
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  void waitForSignal().then(() => controller.abort(new Error("Interrupted.")));
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    note("Interrupted.");
    return process.exit(130);
  }
}
