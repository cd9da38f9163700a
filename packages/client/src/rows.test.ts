import { expect, test } from "vitest";
import { UnavailableError } from "./errors.ts";
import { parseCount } from "./rows.ts";

/** The count of a response with this Content-Range. */
function count(range?: string): number {
  const headers = new Headers(range === undefined ? {} : { "content-range": range });
  return parseCount({ headers, status: 200, requestId: "r1" });
}

test.each([
  ["0-49/120", 120],
  ["*/0", 0],
])("The count of Content-Range %s is %i", (range, total) => {
  expect(count(range)).toBe(total);
});

test.each([undefined, "0-49/*", "0-49", "0-49/x"])("Content-Range %s has no count", (range) => {
  expect(() => count(range)).toThrow(UnavailableError);
});
