import { describe, expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import { type AnyWhere, addSearch, addWhere } from "./filter.ts";
import type { ColumnKind } from "./types.ts";

/** The parameters that a condition becomes, as PostgREST reads them. */
function build(where: AnyWhere, columns: Record<string, ColumnKind> = {}): [string, string][] {
  const query = new URLSearchParams();
  const info = { key: [], owner: null, newId: null, columns, nullable: [], references: {} };
  addWhere(query, { info }, where);
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
    [{ in: ["a", 'b"\\'] }, 'in.(a,"b\\"\\\\")'],
    [{ like: "a%" }, "like.a%"],
    [{ ilike: "5_%" }, "ilike.5_%"],
    [{ match: "^a" }, "match.^a"],
    [{ fullText: "milk -oat" }, "wfts.milk -oat"],
    [{ fullText: { query: "milk", config: "english" } }, "wfts(english).milk"],
    [new Date(0), "eq.1970-01-01T00:00:00.000Z"],
    [{ contains: "50% (.*)" }, "imatch.***=50% (.*)"],
  ])("%j becomes %s", (wanted, condition) => {
    expect(build({ title: wanted })).toEqual([["title", condition]]);
  });

  test.each<[ColumnKind, unknown, string]>([
    ["text[]", ["a", "b,c", 'd"\\', null], 'eq.{"a","b,c","d\\"\\\\",NULL}'],
    ["text[]", { contains: ["a"] }, 'cs.{"a"}'],
    ["number[]", { containedBy: [1, 2] }, 'cd.{"1","2"}'],
    ["number[]", { overlaps: [[1], [2]] }, 'ov.{{"1"},{"2"}}'],
    ["json", { contains: { kind: "k" } }, 'cs.{"kind":"k"}'],
    ["json", { eq: ["a"] }, 'eq.["a"]'],
    ["json", null, "is.null"],
    ["range", { overlaps: "[1,3)" }, "ov.[1,3)"],
    ["range", { before: "[1,3)" }, "sl.[1,3)"],
    ["range", { after: "[1,3)" }, "sr.[1,3)"],
    ["range", { adjacent: "[1,3)" }, "adj.[1,3)"],
    ["exact", { gt: "9007199254740993" }, "gt.9007199254740993"],
    ["exact", 0.5, "eq.0.5"],
    ["number", 1e300, "eq.1e+300"],
  ])("of a column that is %s: %j becomes %s", (kind, wanted, condition) => {
    expect(build({ c: wanted }, { c: kind })).toEqual([["c", condition]]);
  });

  test("may have a bigint", () => {
    expect(build({ n: 12n })).toEqual([["n", "eq.12"]]);
  });

  test("that must not hold becomes a group", () => {
    expect(build({ title: { not: { gte: "a", lt: "c," } } })).toEqual([
      ["not.and", '(title.gte.a,title.lt."c,")'],
    ]);
    expect(build({ title: { eq: "b", not: null } })).toEqual([
      ["title", "eq.b"],
      ["not.and", "(title.is.null)"],
    ]);
  });

  test.each(["limit", "order", "or", "a.b", "x,y", 'say "hi"', "Title"])(
    "with the column %s has it in quotes",
    (column) => {
      const quoted = `"${column.replaceAll('"', '\\"')}"`;
      expect(build({ [column]: 1 })).toEqual([[quoted, "eq.1"]]);
    },
  );

  test.each<[AnyWhere, RegExp]>([
    [{ tags: { kind: "k" } }, /No comparison "kind"; there are eq, /],
    [{ tags: { constructor: 1 } }, /No comparison "constructor"/],
    [{ "*": 1 }, /"\*" for all columns/],
    [{ tags: { in: ["a", null] } }, /tags cannot be compared with null/],
    [{ tags: { gt: null } }, /tags cannot be compared with null/],
    [{ tags: new Date(Number.NaN) }, /tags cannot be compared with Invalid Date/],
    [{ tags: { like: "5*" } }, /reads \* as %/],
    [{ n: Number(2n ** 60n) }, /may have rounded/],
  ])("that makes no sense is refused: %j", (where, problem) => {
    const call = () => build(where, { n: "exact" });
    expect(call).toThrow(InvalidError);
    expect(call).toThrow(problem);
  });

  test("with several comparisons becomes several parameters, and undefined becomes none", () => {
    const where = { title: { gt: "a", lt: "c", eq: undefined }, completed: undefined };
    expect(build(where)).toEqual([
      ["title", "gt.a"],
      ["title", "lt.c"],
    ]);
  });
});

test("A search asks for the text in any of the columns", () => {
  const query = new URLSearchParams();
  addSearch(query, 'a"b', ["title", "order"]);
  expect([...query]).toEqual([["or", '(title.imatch."***=a\\"b","order".imatch."***=a\\"b")']]);
});
