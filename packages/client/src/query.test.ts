import { describe, expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import { addEmbeds, addPage, createCursor, type ListQuery } from "./query.ts";

/** The parameters of a page of the table with the id column "key". */
function buildPage(list: ListQuery, limit = 5, after?: string): Record<string, string> {
  const query = new URLSearchParams();
  addPage(query, list, "key", { limit, after });
  return Object.fromEntries(query);
}

const row = { key: "k1", title: 'a "b"' };

describe("A page", () => {
  test("is newest first, which is by id", () => {
    expect(buildPage({})).toEqual({ order: "key.desc", limit: "5" });
  });

  test.each<[ListQuery["sort"], string]>([
    [{ by: "title" }, "title.asc,key.asc"],
    [{ by: "title", order: "desc" }, "title.desc,key.desc"],
    [{ by: "key" }, "key.desc"],
    [{ by: "key", order: "asc" }, "key.asc"],
  ])("sorted by %j is ordered by %s", (sort, order) => {
    expect(buildPage(sort === undefined ? {} : { sort })).toMatchObject({ order });
  });

  test("after another starts behind its last row", () => {
    expect(buildPage({}, 5, createCursor(row, {}, "key"))).toMatchObject({ key: "lt.k1" });
  });

  test("after another of a sorted list starts behind its last row, also among equal values", () => {
    const list: ListQuery = { sort: { by: "title" } };
    const value = '"a \\"b\\""';
    expect(buildPage(list, 5, createCursor(row, list, "key"))).toMatchObject({
      or: `(title.gt.${value},and(title.eq.${value},key.gt."k1"))`,
    });
  });

  test.each([0, -1, 1.5, Number.NaN])("of %d rows is refused", (limit) => {
    expect(() => buildPage({}, limit)).toThrow(InvalidError);
  });

  test.each([
    "nonsense",
    "[]",
    "null",
    '["key",5]',
    createCursor(row, { sort: { by: "title" } }, "key"),
  ])("after %s, which is no cursor of its list, is refused", (after) => {
    expect(() => buildPage({}, 5, after)).toThrow(InvalidError);
  });
});

test("Embedded tables are selected beside all columns", () => {
  const query = new URLSearchParams();
  addEmbeds(query);
  expect([...query]).toEqual([]);
  addEmbeds(query, ["users", "teams"]);
  expect([...query]).toEqual([["select", "*,users(*),teams(*)"]]);
});
