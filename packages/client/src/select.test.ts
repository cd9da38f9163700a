import { expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import { type AnyWith, addSelect } from "./select.ts";
import type { TableInfo } from "./types.ts";

const plain = { key: ["id"], owner: null, newId: null, columns: {}, nullable: [], references: {} };
const users: TableInfo = { ...plain, columns: { id: "ordered", points: "exact" } };
const info: TableInfo = {
  ...plain,
  columns: { title: "text" },
  references: { made: "users", done: "users", team: "teams", parent: "tasks" },
};

/** What is selected; undefined for all columns alone. */
function select(embeds: AnyWith, own: TableInfo = info): string | null {
  const query = new URLSearchParams();
  addSelect(query, { table: "tasks", info: own, tables: { users, teams: plain } }, embeds);
  return query.get("select");
}

test("Nothing is selected by name where all columns come as they are", () => {
  expect(select([])).toBeNull();
});

test("Exact numbers are selected as text", () => {
  const own: TableInfo = { ...info, columns: { n: "exact", "a b": "exact", l: "exact[]" } };
  expect(select([], own)).toBe('*,n::text,"a b"::text,l::_text');
});

test("Embedded rows name their foreign key, and have exact numbers too", () => {
  expect(select(["teams"])).toBe("*,teams:teams!team(*)");
  expect(select({ "made by": "made", finisher: "done" })).toBe(
    '*,"made by":users!made(*,points::text),finisher:users!done(*,points::text)',
  );
});

test.each<AnyWith>([
  ["users"],
  ["nothing"],
  { a: "nothing" },
  { a: "constructor" },
  { a: "parent" },
])("%j, which is no one reference to another table, is refused", (embeds) => {
  expect(() => select(embeds)).toThrow(InvalidError);
  expect(() => select(embeds)).toThrow(/made \(to users\), done \(to users\), team \(to teams\)/);
});
