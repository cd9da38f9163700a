import { expect, test } from "vitest";
import { sampleVariants, summarize } from "./sample.ts";

test("A summary has the median, the 95th percentile and the first failure", () => {
  const samples = Array.from({ length: 20 }, (_, index) => ({ ms: 20 - index }));
  expect(summarize(samples)).toEqual({ samples: 20, medianMs: 10, p95Ms: 19, failures: 0 });
  expect(summarize([...samples, { ms: 5000, failure: "57014" }])).toEqual({
    samples: 21,
    medianMs: 11,
    p95Ms: 20,
    failures: 1,
    failure: "57014",
  });
});

test("Each round begins with another variant, and the first two rounds do not count", async () => {
  const sent: string[] = [];
  const send = (name: string) => async () => {
    sent.push(name);
    return undefined;
  };
  const variants = { a: send("a"), b: send("b"), c: send("c") };
  const summaries = await sampleVariants(variants, 2, new AbortController().signal);
  expect(sent.join("")).toBe("abcbcacababc");
  expect(summaries.b.samples).toBe(2);
});

test("An interruption ends it before the next request", async () => {
  const interrupted = new AbortController();
  const sent: string[] = [];
  const variants = {
    a: async () => {
      sent.push("a");
      interrupted.abort(new Error("Interrupted."));
      return undefined;
    },
  };
  await expect(sampleVariants(variants, 9, interrupted.signal)).rejects.toThrow("Interrupted.");
  expect(sent).toEqual(["a"]);
});
