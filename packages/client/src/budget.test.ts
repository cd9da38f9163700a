import { describe, expect, test } from "vitest";
import { createRetryBudget, type RetryBudget } from "./budget.ts";

/** Records failures, and says after each whether it may be retried. */
function fail(budget: RetryBudget, times: number): boolean[] {
  return Array.from({ length: times }, () => {
    budget.recordFailure();
    return budget.allowsRetry();
  });
}

function succeed(budget: RetryBudget, times: number): void {
  for (let turn = 0; turn < times; turn += 1) budget.recordSuccess();
}

describe("The retry budget", () => {
  test("allows a few retries, then none", () => {
    expect(fail(createRetryBudget(), 7)).toEqual([true, true, true, true, false, false, false]);
  });

  test("is not spent by asking", () => {
    const budget = createRetryBudget();
    for (let turn = 0; turn < 100; turn += 1) budget.allowsRetry();
    expect(fail(budget, 4)).toEqual([true, true, true, true]);
  });

  test("gains a tenth with each success, up to its maximum", () => {
    const budget = createRetryBudget();
    succeed(budget, 1000);
    expect(fail(budget, 5)).toEqual([true, true, true, true, false]);
    succeed(budget, 11);
    expect(fail(budget, 2)).toEqual([true, false]);
  });

  test("never falls below zero", () => {
    const budget = createRetryBudget();
    fail(budget, 1000);
    succeed(budget, 62);
    expect(fail(budget, 2)).toEqual([true, false]);
  });
});
