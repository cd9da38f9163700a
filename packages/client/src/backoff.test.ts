import { describe, expect, test } from "vitest";
import { createRetryPolicy, parseRetryAfter, pauseMs } from "./backoff.ts";

describe("The pause before another attempt", () => {
  const policy = createRetryPolicy({ baseMs: 100, maxMs: 1000, minMs: 10 });
  const pauses = (attempt: number, retryAfter?: number) =>
    Array.from({ length: 500 }, () => pauseMs(policy, attempt, retryAfter));

  test.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1000],
    [50, 1000],
    [5000, 1000],
  ])("is random after %i attempts, from the floor up to %i ms", (attempt, ceiling) => {
    const all = pauses(attempt);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...all)).toBeLessThanOrEqual(ceiling);
    expect(Math.min(...all)).toBeLessThan(ceiling * 0.2);
    expect(Math.max(...all)).toBeGreaterThan(ceiling * 0.8);
  });

  test("is no shorter than Retry-After, whatever the ceiling", () => {
    expect(Math.min(...pauses(1, 3000))).toBe(3000);
    expect(Math.min(...pauses(4, 500))).toBe(500);
    expect(Math.max(...pauses(4, 500))).toBeGreaterThan(500);
  });

  test("keeps its floor when Retry-After is 0", () => {
    expect(Math.min(...pauses(1, 0))).toBeGreaterThanOrEqual(10);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");

  test.each([
    [null, 0],
    ["0", 0],
    ["7", 7000],
    ["120", 120_000],
    ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["", 0],
    ["-5", 0],
    ["1.5", 0],
    ["soon", 0],
    ["soon 2099", 0],
    ["9".repeat(400), 0],
  ])("%s is %i ms", (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });
});

test("Without options there are four attempts, and with false there is one", () => {
  expect(createRetryPolicy()).toEqual({ attempts: 4, baseMs: 200, maxMs: 5000, minMs: 50 });
  expect(createRetryPolicy(false).attempts).toBe(1);
  expect(createRetryPolicy({ attempts: 9 })).toMatchObject({ attempts: 9, baseMs: 200 });
});
