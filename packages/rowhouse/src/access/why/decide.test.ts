import { describe, expect, test } from "vitest";
import type { Outcome } from "../model/evaluate.ts";
import type { Policy } from "../model/model.ts";
import { type CheckedCondition, type CheckResult, decide } from "./decide.ts";

function condition(name: string, value: Outcome["value"] | null, permissive = true, sql = name) {
  const failed = value === "fails" ? { reason: "why", code: "22012" } : { reason: null };
  const outcome = value === null ? null : { value, ...failed };
  return { policy: { name, permissive } as Policy, sql, outcome } satisfies CheckedCondition;
}

function check(conditions: readonly CheckedCondition[], change: Partial<CheckResult> = {}) {
  const base = { verb: "select", onlyFiltered: false, over: "row", open: false } as const;
  return { ...base, conditions, together: null, ...change } satisfies CheckResult;
}

const verdict = (...conditions: CheckedCondition[]) =>
  decide("select", [check(conditions)], null).verdict;

describe("a row", () => {
  test("passes when one permissive policy lets it, and no restrictive one refuses", () => {
    expect(verdict(condition("a", "false"), condition("b", "true"))).toBe("yes");
    expect(verdict(condition("a", "true"), condition("r", "true", false))).toBe("yes");
    expect(verdict(condition("a", "true"), condition("r", "false", false))).toBe("no");
    expect(verdict(condition("a", "true"), condition("r", "null", false))).toBe("no");
  });

  test("does not pass without a permissive policy that is true", () => {
    expect(verdict()).toBe("no");
    expect(verdict(condition("r", "true", false))).toBe("no");
    expect(verdict(condition("a", "null"))).toBe("no");
  });

  test("depends on its values when none was named", () => {
    expect(verdict(condition("a", null))).toBe("depends");
  });

  test("has an unknown verdict when the deciding policy cannot be evaluated", () => {
    expect(verdict(condition("a", "unknown"))).toBe("unknown");
    // PostgreSQL may evaluate it, and fail; not where the other one is simply true.
    expect(verdict(condition("a", "true"), condition("b", "unknown"))).toBe("unknown");
    expect(verdict(condition("a", "true", true, "true"), condition("b", "unknown"))).toBe("yes");
    const both = [condition("a", "true"), condition("b", "unknown")];
    const together = { value: "true", reason: null } as const;
    expect(decide("select", [check(both, { together })], null).verdict).toBe("yes");
    expect(verdict(condition("a", "true"), condition("r", "unknown", false))).toBe("unknown");
  });

  test("passes a check without row-level security", () => {
    expect(decide("select", [check([], { open: true })], null)).toEqual({
      verdict: "yes",
      reason: "no row-level security holds here, and it is granted.",
    });
  });
});

describe("a condition that fails", () => {
  const fails = condition("a", "fails");

  test("fails the request, unless PostgreSQL does not evaluate it", () => {
    const conditions = [fails, condition("b", "true")];
    const together = (value: Outcome["value"]) =>
      decide("select", [check(conditions, { together: { value, reason: null } })], null);
    expect(together("fails")).toMatchObject({
      verdict: "no",
      reason: "the request fails, since a raises 22012 (why), for select.",
      fails: true,
    });
    expect(together("true").verdict).toBe("yes");
  });
});

describe("a decision over several checks", () => {
  const yes = check([condition("a", "true")]);
  const no = check([condition("b", "false")], { over: "result", verb: "update" });

  test("names the policy that lets the row pass", () => {
    expect(decide("select", [yes], null).reason).toBe("a lets it pass, and it is granted.");
  });

  test("is the worst of them, with its reason", () => {
    expect(decide("update", [yes, no], null)).toEqual({
      verdict: "no",
      reason: "no permissive policy lets it pass for update as it would be afterwards.",
    });
    expect(decide("update", [check([condition("c", null)]), no], null).verdict).toBe("no");
  });

  test("is no without the grant, whatever the policies are", () => {
    expect(decide("select", [yes], "No grant.")).toEqual({ verdict: "no", reason: "No grant." });
  });
});
