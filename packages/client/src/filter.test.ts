import { describe, expect, test } from "vitest";
import { addSearch, addWhere, quote } from "./filter.ts";

/** The parameters of a query, as PostgREST reads them. */
function buildQuery(add: (query: URLSearchParams) => void): [string, string][] {
  const query = new URLSearchParams();
  add(query);
  return [...query];
}

describe("A condition", () => {
  test.each<[unknown, string]>([
    ["text", "eq.text"],
    ["a,b.(c)", "eq.a,b.(c)"],
    [true, "eq.true"],
    [null, "is.null"],
    [{ eq: null }, "is.null"],
    [{ neq: null }, "not.is.null"],
    [{ gte: 5 }, "gte.5"],
    [{ in: [] }, "in.()"],
    [{ in: ["one"] }, "eq.one"],
    [{ in: ["one", "one"] }, "eq.one"],
    [{ in: ["a", 'b"\\'] }, 'in.("a","b\\"\\\\")'],
    [{ contains: "50% (.*)" }, "imatch.***=50% (.*)"],
  ])("%j becomes %s", (wanted, condition) => {
    expect(buildQuery((query) => addWhere(query, { title: wanted }))).toEqual([
      ["title", condition],
    ]);
  });

  test("with several comparisons becomes several parameters, and undefined becomes none", () => {
    const where = { title: { gt: "a", lt: "c", eq: undefined }, completed: undefined };
    expect(buildQuery((query) => addWhere(query, where))).toEqual([
      ["title", "gt.a"],
      ["title", "lt.c"],
    ]);
  });
});

test("A search asks for the text in any of the columns", () => {
  expect(buildQuery((query) => addSearch(query, 'a"b', ["title", "note"]))).toEqual([
    ["or", '(title.imatch."***=a\\"b",note.imatch."***=a\\"b")'],
  ]);
});

test("A quoted value escapes quotes and backslashes", () => {
  expect(quote('\\ "')).toBe('"\\\\ \\""');
});
