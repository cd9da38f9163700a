import { expect, test } from "vitest";
import { NotFoundError, UnavailableError } from "./errors.ts";
import { containsValues, parseCount, sortByIds, throwNotFound } from "./rows.ts";

/** The count of a response with this Content-Range. */
function count(range?: string): number {
  const headers = new Headers(range === undefined ? {} : { "content-range": range });
  return parseCount({ headers, status: 200, requestId: "r1", uncertain: false });
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

test("Rows are sorted by a list of ids, and those that it does not name are left out", () => {
  const rows = [{ id: "a" }, { id: "b" }, { id: "c" }];
  expect(sortByIds(rows, ["c", "x", "a"], "id")).toEqual([{ id: "c" }, { id: "a" }]);
});

test.each([
  [{}, true],
  [{ title: "t" }, true],
  [{ title: "t", note: undefined }, true],
  [{ tags: ["a"] }, true],
  [{ tags: ["b"] }, false],
  [{ title: "u" }, false],
  [{ other: 1 }, false],
])("A row contains the values %j: %s", (values, contained) => {
  expect(containsValues({ title: "t", tags: ["a"] }, values)).toBe(contained);
});

test("A missing row is a NotFoundError that names table and id", () => {
  const call = () => throwNotFound("tasks", "5", { requestId: "r1" });
  expect(call).toThrow(NotFoundError);
  expect(call).toThrow(/row 5 in tasks/);
});
