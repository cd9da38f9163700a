import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until the answer is not undefined.
 *
 * @param ask What to ask; what it throws ends the waiting.
 * @param everyMs Pause between two askings, in milliseconds.
 * @param limitMs How long to go on, in milliseconds.
 * @returns The answer, or undefined when the time ran out.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs: number,
  limitMs: number,
): Promise<T | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) return undefined;
    await delay(everyMs);
  }
}
