import { expect, test } from "vitest";
import { newId, operations } from "./actions.ts";
import { measureBars, summarizeRatios } from "./bars.ts";
import { AnswersDiffer, compareAnswers } from "./check.ts";
import type { Contestant } from "./contestant.ts";
import type { Answer } from "./dialects.ts";
import { addChunk } from "./http.ts";
import type { Sample } from "./measure.ts";
import { summarize } from "./statistics.ts";

const start = { head: Buffer.alloc(0), status: 0, left: undefined, complete: false };
const head = "HTTP/1.1 201 Created\r\n";

test.each([
  ["with a length", `${head}Content-Length: 5\r\n\r\n[1,2]`],
  ["in chunks", `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2]\r\n0\r\n\r\n`],
  ["without a body", `${head}Date: now\r\n\r\n`],
])("A response %s is complete at its end and not before, however it is cut", (_, text) => {
  for (let cut = 1; cut < text.length; cut += 1) {
    const first = addChunk(start, Buffer.from(text.slice(0, cut)));
    expect(first.complete).toBe(false);
    const both = addChunk(first, Buffer.from(text.slice(cut)));
    expect(both).toMatchObject({ status: 201, complete: true });
  }
});

test("A median is the middle of what is known", () => {
  expect(summarize([3, 1, Number.NaN, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(summarize([4, 1, 2, 3]).median).toBe(2.5);
});

const sample = (perSecond: number): Sample => ({
  perSecond,
  p99Ms: 1,
  failures: 0,
  cpuMs: { server: 1, postgres: 1, load: 1 },
});

test("A ratio is taken within each round, and not of two medians", () => {
  const [ours, theirs] = [[100, 10, 1].map(sample), [50, 20, 1].map(sample)];
  expect(summarizeRatios(ours, theirs)).toEqual({ median: 1, min: 0.5, max: 2 });
  expect(summarizeRatios(ours, undefined)).toBeUndefined();
});

test("A bar is met from its figure on, and left out where it was not measured", () => {
  const measure = (ours: number) =>
    measureBars(
      new Map([
        [
          "list",
          new Map([
            ["rowhouse", [sample(ours)]],
            ["fastify-rls", [sample(100)]],
            ["prisma-rls", [sample(70)]],
          ]),
        ],
      ]),
    ).map(({ of, met }) => [of, met]);
  expect(measure(100)).toEqual([
    ["rowhouse", true],
    ["prisma-rls", true],
  ]);
  expect(measure(94)).toEqual([
    ["rowhouse", false],
    ["prisma-rls", false],
  ]);
});

test("Ids are UUIDs, version 7, that sort by their time", () => {
  const id = newId();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBeCloseTo(Date.now(), -4);
});

/** One that answers every call with the same. */
function answering(answer: Answer): Contestant {
  const caller = { id: "u", token: "t", tasks: ["a"], cursor: "a" };
  return {
    name: "express-rls",
    database: { callers: { few: caller, many: caller, writer: caller } },
    pids: [],
    can: () => true,
    answer: async () => answer,
  } as unknown as Contestant;
}

const row = { id: "a", title: "t", created_at: "2026-11-26T12:00:00.123456+00:00" };

test.each<[string, Answer]>([
  ["another value", [{ ...row, title: "T" }]],
  ["a column less", [{ id: "a", title: "t" }]],
  ["a column more", [{ ...row, note: null }]],
  ["another time", [{ ...row, created_at: "2026-11-26T12:00:00.124Z" }]],
  ["a row less", []],
  ["a count", 1],
])("A peer that answers with %s is not measured", async (_, answer) => {
  const [list] = operations;
  if (list === undefined) throw new Error("There is no operation.");
  const compare = (given: Answer) => compareAnswers(list, answering(given), answering([row]));
  await expect(compare(answer)).rejects.toThrow(AnswersDiffer);
  await compare([{ created_at: "2026-11-26T13:00:00.123+01:00", title: "t", id: "a" }]);
});
