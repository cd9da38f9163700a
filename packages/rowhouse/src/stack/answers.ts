import { setTimeout as delay } from "node:timers/promises";

/** How to find out that a server does not answer any more. */
export interface AnswerWatch {
  /** Resolves when the server answers, and rejects when it does not, or the signal comes. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
  /** Called when it has not answered too often in a row. */
  readonly onSilence: () => void;
}

/** Three times 5 s without an answer: far beyond a busy machine, and one that has slept asks anew. */
const limits = { everyMs: 2000, answerMs: 5000, misses: 3 };

/**
 * Asks a server every few seconds whether it answers.
 *
 * @returns What ends it.
 */
export function watchAnswers({ ask, onSilence }: AnswerWatch): () => void {
  const ending = new AbortController();
  void keepAsking(ask, onSilence, ending.signal);
  return () => ending.abort();
}

async function keepAsking(
  ask: AnswerWatch["ask"],
  onSilence: () => void,
  ending: AbortSignal,
): Promise<void> {
  let misses = 0;
  while (!ending.aborted) {
    misses = (await isSilent(ask, ending)) ? misses + 1 : 0;
    if (misses === limits.misses && !ending.aborted) {
      onSilence();
      misses = 0;
    }
    await delay(limits.everyMs, undefined, { signal: ending, ref: false }).catch(() => {});
  }
}

/** Whether no answer came in time. One that refuses a connection is being started: its supervisor knows. */
async function isSilent(ask: AnswerWatch["ask"], ending: AbortSignal): Promise<boolean> {
  const time = AbortSignal.timeout(limits.answerMs);
  try {
    await ask(AbortSignal.any([ending, time]));
    return false;
  } catch {
    return time.aborted;
  }
}
