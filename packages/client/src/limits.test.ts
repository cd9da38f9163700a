import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { AbortedError, ApiError, DeadlineError } from "./errors.ts";
import { pause, startLimits, within } from "./limits.ts";

const never = new Promise<never>(() => {});
const last = new ApiError("It failed.", { status: 503, code: "x", requestId: "r1" });

describe("A call's limits", () => {
  test("end it with a DeadlineError when its time is over", async () => {
    const limits = startLimits(undefined, 1);
    await expect(within(limits, never)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(limits.createError("r1", last)).toBeInstanceOf(DeadlineError);
    expect(limits.createError("r1", last)).toMatchObject({ requestId: "r1", cause: last });
  });

  test("end it with an AbortedError when the caller aborts it, even before it starts", async () => {
    const reason = new Error("The page was left.");
    const limits = startLimits(AbortSignal.abort(reason), 60_000);
    await expect(within(limits, never)).rejects.toBe(reason);
    expect(limits.createError("r1")).toBeInstanceOf(AbortedError);
    expect(limits.createError("r1")).toMatchObject({ cause: reason });
  });

  test("leave a result as it is, and no listener behind", async () => {
    const limits = startLimits(undefined, 60_000);
    expect(await within(limits, Promise.resolve(5))).toBe(5);
    await expect(within(limits, Promise.reject(last))).rejects.toBe(last);
    expect(getEventListeners(limits.signal, "abort")).toEqual([]);
  });

  test("end a pause with the last error as the cause", async () => {
    const limits = startLimits(undefined, 1);
    await expect(pause(limits, 60_000, last)).rejects.toMatchObject({
      name: "DeadlineError",
      requestId: "r1",
      cause: last,
    });
    await pause(startLimits(undefined, 60_000), 0, last);
  });
});
