import { describe, expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import { type AnyKey, addKey, addKeys, identify } from "./key.ts";

const plain = { newId: null, columns: {}, nullable: [], references: {} };
const owned = { table: "tasks", info: { ...plain, key: ["user_id", "id"], owner: "user_id" } };
const members = { table: "members", info: { ...plain, key: ["list_id", "order"], owner: null } };
type Table = typeof owned | typeof members;

function build(add: (query: URLSearchParams) => void): [string, string][] {
  const query = new URLSearchParams();
  add(query);
  return [...query];
}

describe("A key", () => {
  test.each<[Table, AnyKey, [string, string][]]>([
    [owned, "i1", [["id", "eq.i1"]]],
    [
      owned,
      { user_id: "u1", id: "i1", title: "t" },
      [
        ["user_id", "eq.u1"],
        ["id", "eq.i1"],
      ],
    ],
    [
      members,
      { order: 1, list_id: "l1" },
      [
        ["list_id", "eq.l1"],
        ['"order"', "eq.1"],
      ],
    ],
  ])("names one row: %#", (table, key, query) => {
    expect(build((into) => addKey(into, table, key))).toEqual(query);
  });

  test.each<[Table, unknown]>([
    [owned, { id: "i1" }],
    [owned, undefined],
    [owned, null],
    [members, "l1"],
    [members, { list_id: "l1" }],
    [members, { list_id: "l1", order: null }],
  ])("that names none is refused: %#", (table, key) => {
    const call = () => addKey(new URLSearchParams(), table, key as AnyKey);
    expect(call).toThrow(InvalidError);
    expect(call).toThrow(/names no row of (tasks|members): pass/);
  });
});

test("Several keys are alternatives", () => {
  const rows = [
    { user_id: "u1", id: "a" },
    { user_id: "u 2", id: "b" },
  ];
  expect(build((query) => addKeys(query, owned, rows))).toEqual([
    ["or", '(and(user_id.eq.u1,id.eq.a),and(user_id.eq."u 2",id.eq.b))'],
  ]);
});

test("Rows are told apart by all columns of their key", () => {
  expect(identify(owned, { user_id: "u", id: "1" })).toBe(identify(owned, { id: 1, user_id: "u" }));
  expect(identify(owned, { user_id: "u", id: "1" })).not.toBe(
    identify(owned, { user_id: "v", id: "1" }),
  );
});
