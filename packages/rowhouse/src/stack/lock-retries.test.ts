import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RowhouseError } from "../lib/errors.ts";
import { retryOnLock, withLockTimeout } from "./lock-retries.ts";

vi.mock("node:timers/promises", () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

const failure = (message: string) => new RowhouseError("migration_failed", message, "");
const lockTimeout = failure("canceling statement due to lock timeout (55P03)");

describe("a migration", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Runs attempts that fail with these errors in turn, and then succeed. */
  function run(errors: RowhouseError[], retries: number, mayRepeat = () => true) {
    const lines: string[] = [];
    const attempt = vi.fn(async () => {
      const error = errors.shift();
      if (error) throw error;
    });
    const options = { lockTimeout: 3, retries, onRetry: (line: string) => lines.push(line) };
    const done = retryOnLock(options, attempt, mayRepeat);
    done.catch(() => {});
    return { attempt, done, lines };
  }

  test("that gets its locks runs once", async () => {
    const { attempt, done, lines } = run([], 5);
    await done;
    expect(attempt).toHaveBeenCalledTimes(1);
    expect(lines).toEqual([]);
  });

  test("that finds a lock in the way waits longer each time, up to 16 s", async () => {
    const { attempt, done, lines } = run(Array(6).fill(lockTimeout), 6);
    await vi.advanceTimersByTimeAsync((1 + 2 + 4 + 8 + 16 + 16) * 1000);
    await done;
    expect(attempt).toHaveBeenCalledTimes(7);
    expect(lines.map((line) => /retrying in (\d+ s \(.*\))/.exec(line)?.[1])).toEqual([
      "1 s (1 of 6)",
      "2 s (2 of 6)",
      "4 s (3 of 6)",
      "8 s (4 of 6)",
      "16 s (5 of 6)",
      "16 s (6 of 6)",
    ]);
  });

  test("that never gets its locks fails after the last retry", async () => {
    const { attempt, done } = run(Array(9).fill(lockTimeout), 1);
    await vi.advanceTimersByTimeAsync(1000);
    await expect(done).rejects.toBe(lockTimeout);
    expect(attempt).toHaveBeenCalledTimes(2);
  });

  test.each([
    ["deadlocks", "deadlock detected (40P01)"],
    ["changes a role with another", "tuple concurrently updated (XX000)"],
  ])("that %s is retried, too", async (_, message) => {
    const { done, lines } = run([failure(message)], 1);
    await vi.advanceTimersByTimeAsync(1000);
    await done;
    expect(lines).toHaveLength(1);
  });

  test.each([
    ["fails for another reason", failure("syntax error (42601)"), () => true],
    ["may have left something behind", lockTimeout, () => false],
  ])("that %s is not retried", async (_, error, mayRepeat) => {
    const { attempt, done } = run([error], 5, mayRepeat);
    await expect(done).rejects.toBe(error);
    expect(attempt).toHaveBeenCalledTimes(1);
  });
});

test("the options of a URL override the limit on waiting for locks", () => {
  const options = (url: string) => new URL(withLockTimeout(url, 3)).searchParams.get("options");
  expect(options("postgres://u@h/d?sslmode=require")).toBe("-c lock_timeout=3s");
  expect(options("postgres://u@h/d?options=-c%20lock_timeout%3D9s")).toBe(
    "-c lock_timeout=3s -c lock_timeout=9s",
  );
});
