import { setTimeout as delay } from "node:timers/promises";
import { errorMessage } from "../lib/errors.ts";
import type { Server } from "./process.ts";

/** A server that is started again whenever it ends. */
export interface SupervisedServer {
  /** Resolves when it was stopped; rejects when it keeps ending by itself. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What to supervise, and how to report. */
export interface SuperviseOptions {
  readonly name: string;
  /** The server, already started. */
  readonly server: Server;
  readonly restart: () => Promise<Server>;
  readonly report: (line: string) => void;
  /** Makes the error for when it has ended too often; `reason` is how it ended last. */
  readonly giveUp: (reason: string) => Error;
}

const tooOften = { ends: 5, withinMs: 60_000 };
const backoffMs = [0, 250, 1000, 3000];

/**
 * Starts a server again each time it ends, with a growing pause; gives up at the fifth end
 * within a minute.
 */
export function supervise(watch: SuperviseOptions): SupervisedServer {
  let { server } = watch;
  let stopped = false;

  const runAgain = async (): Promise<string> => {
    try {
      server = await watch.restart();
    } catch (error) {
      return errorMessage(error);
    }
    if (stopped) await server.stop();
    else watch.report(`${watch.name} runs again.`);
    return server.ended;
  };

  const keepRunning = async (): Promise<void> => {
    let ends: number[] = [];
    let reason = await server.ended;
    while (!stopped) {
      const now = performance.now();
      ends = [...ends.filter((at) => now - at < tooOften.withinMs), now];
      if (ends.length >= tooOften.ends) throw watch.giveUp(reason);
      watch.report(`${watch.name} ended (${reason}): restarting it.`);
      await delay(backoffMs[ends.length - 1]);
      if (!stopped) reason = await runAgain();
    }
  };

  const done = keepRunning();
  done.catch(() => {}); // Handled where `done` is awaited, which may come later.
  const stop = async () => {
    stopped = true;
    await server.stop();
    await Promise.allSettled([done]);
  };
  return { done, stop };
}
