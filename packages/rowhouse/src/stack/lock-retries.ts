import { setTimeout as delay } from "node:timers/promises";
import type { RowhouseError } from "../lib/errors.ts";

/** How long a migration waits for a lock, and how often it is tried. */
export interface LockRetries {
  /** Seconds that a statement waits for a lock. Every request that comes after it waits, too. */
  readonly lockTimeout: number;
  /** How often it is tried again. */
  readonly retries: number;
  /** Takes why it waits, and how long. */
  readonly onRetry: (line: string) => void;
}

/**
 * Less than the statement_timeout of requests, 5 s: those that queue behind the migration are then
 * late, and do not fail. Migrations that are written here wait as long, whatever applies them.
 */
export const defaultLockRetries: LockRetries = { lockTimeout: 3, retries: 5, onRetry: () => {} };

/** The errors of dbmate after which trying again can help. */
const passing: readonly [pattern: RegExp, cause: string][] = [
  [/\(55P03\)|lock timeout/, "Another session holds a lock that the migration needs"],
  [/\(40P01\)|deadlock detected/, "The migration and another session waited for each other"],
  // Roles are of the server: a migration of another database may change the same one.
  [/tuple concurrently updated/, "Another session changed the same role or object meanwhile"],
];

/**
 * Does something, and does it again when a lock was in the way, each time after a longer wait: 1 s,
 * 2 s, 4 s, up to 16 s. In between, what had queued up behind it gets its turn.
 *
 * @param mayRepeat Whether a failed attempt has left nothing behind.
 */
export async function retryOnLock(
  { retries, onRetry }: LockRetries,
  attempt: () => Promise<void>,
  mayRepeat: (error: RowhouseError) => boolean,
): Promise<void> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const failure = error as RowhouseError;
      const cause = passing.find(([pattern]) => pattern.test(failure.message))?.[1];
      if (cause === undefined || tried >= retries || !mayRepeat(failure)) throw error;
      const seconds = Math.min(2 ** tried, 16);
      onRetry(`${cause}: retrying in ${seconds} s (${tried + 1} of ${retries}).`);
      await delay(seconds * 1000);
    }
  }
}

/** The URL with a limit on waiting for locks, which a limit of its own in the URL overrides. */
export function withLockTimeout(url: string, seconds: number): string {
  const limited = new URL(url);
  const own = limited.searchParams.get("options");
  const options = [`-c lock_timeout=${seconds}s`, ...(own ? [own] : [])].join(" ");
  limited.searchParams.set("options", options);
  return limited.href;
}
