import { describe, expect, test } from "vitest";
import { InvalidError, UnavailableError } from "./errors.ts";
import { type AnySort, addOrder, createCursor, createOrder } from "./order.ts";

const info = {
  key: ["owner", "id"],
  owner: "owner",
  newId: null,
  columns: {},
  nullable: ["due"],
  references: {},
};
const row = { owner: "o1", id: "k1", title: 'a "b"', due: null };
const response = { status: 200, requestId: "r1" };

/** The parameters of a page that starts behind a row. */
function build(sort?: AnySort | AnySort[], last?: object, single = false): Record<string, string> {
  const order = createOrder({ info: single ? { ...info, key: ["id"] } : info }, sort);
  const after = last && createCursor(order, { ...row, ...last }, undefined, response);
  const query = new URLSearchParams();
  addOrder(query, order, after);
  return Object.fromEntries(query);
}

describe("A list", () => {
  test.each<[AnySort | AnySort[] | undefined, string]>([
    [undefined, "id.desc,owner.desc"],
    [{ by: "title" }, "title.asc,id.asc,owner.asc"],
    [{ by: "title", order: "desc" }, "title.desc,id.desc,owner.desc"],
    [{ by: "id" }, "id.desc,owner.desc"],
    [{ by: "id", order: "asc" }, "id.asc,owner.asc"],
    [{ by: "due" }, "due.asc.nullslast,id.asc,owner.asc"],
    [{ by: "due", order: "desc" }, "due.desc.nullsfirst,id.desc,owner.desc"],
    [{ by: "due", nulls: "first" }, "due.asc.nullsfirst,id.asc,owner.asc"],
    [
      [{ by: "due" }, { by: "limit", order: "desc" }],
      'due.asc.nullslast,"limit".desc,id.desc,owner.desc',
    ],
  ])("sorted by %j is ordered by %s", (sort, order) => {
    expect(build(sort)).toEqual({ order });
  });
});

describe("A page behind another", () => {
  test("of one key is bounded by it", () => {
    expect(build(undefined, {}, true)).toEqual({ order: "id.desc", id: "lt.k1" });
  });

  test("starts behind equal values, too, and is bounded where an index can use it", () => {
    expect(build({ by: "title" }, {})).toEqual({
      order: "title.asc,id.asc,owner.asc",
      or: '(title.gt."a \\"b\\"",and(title.eq."a \\"b\\"",or(id.gt."k1",and(id.eq."k1",owner.gt."o1"))))',
      title: 'gte.a "b"',
    });
  });

  const behindKey = 'or(id.gt."k1",and(id.eq."k1",owner.gt."o1"))';
  test.each<[AnySort, object, string, string | undefined]>([
    [
      { by: "due" },
      { due: "d1" },
      `due.gt."d1",due.is.null,and(due.eq."d1",${behindKey})`,
      undefined,
    ],
    [{ by: "due" }, {}, `and(due.is.null,${behindKey})`, undefined],
    [{ by: "due", nulls: "first" }, {}, `due.not.is.null,and(due.is.null,${behindKey})`, undefined],
    [
      { by: "due", nulls: "first" },
      { due: "d1" },
      `due.gt."d1",and(due.eq."d1",${behindKey})`,
      "gte.d1",
    ],
  ])("sorted by %j, with %j last, loses no row without a value", (sort, last, or, due) => {
    expect(build(sort, last)).toMatchObject({ or: `(${or})`, ...(due && { due }) });
  });

  const order = createOrder({ info });
  test("that ends where it began is an error, and no page that comes for ever", () => {
    const after = createCursor(order, row, undefined, response);
    expect(() => createCursor(order, row, after, response)).toThrow(UnavailableError);
  });

  test.each([
    "nonsense",
    "[]",
    "null",
    '["id.desc,owner.desc",5]',
    createCursor(createOrder({ info }, { by: "title" }), row, undefined, response),
  ])("is refused after %s, which is no cursor of its list", (after) => {
    expect(() => addOrder(new URLSearchParams(), order, after)).toThrow(InvalidError);
  });
});
