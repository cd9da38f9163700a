import { log } from "./log.ts";

/** Takes work that no answer waits for, such as sending a mail. */
export type Background = (work: Promise<unknown>) => void;

/** Work under way, and a promise that all of it has ended. */
export interface BackgroundWork {
  readonly add: Background;
  readonly settled: () => Promise<void>;
}

/** Nothing under way. What fails is logged: the answer has gone out already. */
export function createBackground(): BackgroundWork {
  const running = new Set<Promise<unknown>>();
  const add = (work: Promise<unknown>) => {
    const ended = work
      .catch((error: unknown) => log(`failed in the background: ${String(error)}`))
      .finally(() => running.delete(ended));
    running.add(ended);
  };
  return { add, settled: async () => void (await Promise.all(running)) };
}
