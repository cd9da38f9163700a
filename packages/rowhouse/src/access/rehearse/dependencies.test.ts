import { describe, expect, test } from "vitest";
import { findChangedThings, findUsed, isPlain, type Thing } from "./dependencies.ts";

function thing(name: string, definition: string, change: Partial<Thing> = {}): Thing {
  return {
    kind: "function",
    schema: "private",
    name,
    definition,
    opaque: false,
    usableBy: ["authenticated"],
    ...change,
  };
}

const names = (things: readonly Thing[]) => things.map(({ name }) => name).sort();

describe("what a condition uses", () => {
  const things = [
    thing("is_admin", "select is_member('admin')"),
    thing("is_member", "select true from teams"),
    thing("teams", "", { kind: "relation" }),
    thing("member", ""),
  ];

  test("is found through the functions that it calls", () => {
    expect(names(findUsed("private.is_admin()", things))).toEqual([
      "is_admin",
      "is_member",
      "teams",
    ]);
  });

  test("is found without its schema, in quotes, and in any case", () => {
    expect(names(findUsed('"is_member" (1)', things))).toContain("is_member");
    expect(names(findUsed("IS_MEMBER(1)", [thing("IS_MEMBER", "")]))).toEqual(["IS_MEMBER"]);
    expect(names(findUsed('exists (select from "private"."teams")', things))).toEqual(["teams"]);
  });

  test("is not a column of the same name, nor part of a longer name", () => {
    expect(findUsed("member = 1 and is_members(1) and teams = 2", things)).toEqual([]);
  });

  test("ends where functions call each other", () => {
    const circle = [thing("a", "select b()"), thing("b", "select a()")];
    expect(names(findUsed("a()", circle))).toEqual(["a", "b"]);
  });
});

describe("a plain condition", () => {
  const me = thing("me", "select claim('sub') -- from the token");
  const claim = thing("claim", "select current_setting($1)");

  test("reads only its row and the claims", () => {
    expect(isPlain("user_id = me()", [me, claim], "authenticated")).toBe(true);
    expect(isPlain("user_id = me()", [me, claim], "anonymous")).toBe(false);
  });

  test.each([
    ["user_id in (select id from api.users)"],
    ["current_user = 'alice'"],
    ["has_table_privilege('api.tasks', 'select')"],
  ])("is not %s", (sql) => {
    expect(isPlain(sql, [me, claim], "authenticated")).toBe(false);
  });

  test("calls no function that reads rows, or whose body is unknown", () => {
    const reads = thing("me", "select id from api.users");
    expect(isPlain("me() = 1", [reads], "authenticated")).toBe(false);
    expect(isPlain("me() = 1", [{ ...me, opaque: true }], "authenticated")).toBe(false);
  });
});

test("a thing has changed when its definition is another, or it is new", () => {
  const [old, same] = [thing("a", "1"), thing("b", "1")];
  const changed = [thing("a", "2"), thing("c", "1")];
  expect(findChangedThings([old, same], [...changed, same])).toEqual(changed);
});
