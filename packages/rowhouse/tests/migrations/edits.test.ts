import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type DraftOptions, draftMigration } from "../../src/schema/plan/migration.ts";
import { testScratch } from "../../src/testing/database.ts";
import { copyProject } from "../support/project.ts";

/** Drafts the migration from one text of sql/api/edited.sql to another; the first is migrated. */
async function draftEdit(before: string, after: string, options: Partial<DraftOptions> = {}) {
  const root = copyProject();
  const dir = join(root, "db/migrations");
  writeFileSync(
    join(dir, "20991231000000_earlier.sql"),
    `-- migrate:up\ncreate schema edited;\n${before}\n-- migrate:down\ndrop schema edited cascade;\n`,
  );
  writeFileSync(join(root, "sql/api/edited.sql"), `create schema edited;\n${after}`);
  const sides = { migrated: testScratch(), declared: testScratch() };
  return draftMigration({ root, dir, ...sides, ...options }, "edit");
}

const table = (columns: string) => `create table edited.t (id int primary key, ${columns});`;
const enumOf = (labels: string) => `create type edited.s as enum (${labels});\n`;

describe("made-up rows meet the rules of before and after", () => {
  test.each([
    ["text becomes an array", "a text not null", "a text[] not null"],
    [
      "text with a default becomes an array",
      "a text not null default ''",
      "a text[] not null default '{}'",
    ],
    ["text gets one of two values", "a text not null", "a text not null check (a in ('x', 'y'))"],
    [
      "a longest length shrinks",
      "a text not null check (length(a) < 90)",
      "a text not null check (length(a) < 5)",
    ],
    ["a number gets a minimum", "a int not null", "a int not null check (a > 100)"],
  ])("when %s", async (_, before, after) => {
    const draft = await draftEdit(table(before), table(after));
    expect(draft?.proof).toMatchObject({ rows: 24, tables: 11, untried: [] });
  });

  test("when text becomes an enum", async () => {
    const labels = enumOf("'open', 'done'");
    const draft = await draftEdit(
      table("a text not null default 'open'"),
      labels + table("a edited.s not null default 'open'"),
    );
    expect(draft?.proof).toMatchObject({ rows: 24, tables: 11, untried: [] });
  });

  test("or their table is named as not tried", async () => {
    const draft = await draftEdit(
      table("a text not null"),
      table("a text not null check (md5(a) = 'x')"),
    );
    expect(draft?.proof.untried).toEqual([
      { table: "edited.t", reason: expect.stringContaining("t_a_check") },
    ]);
  });
});

const f = (signature: string) =>
  `create function edited.f(${signature} language sql as 'select 1::bigint';
grant execute on function edited.f(integer, text) to authenticated;`;

test.each([
  ["another result", "a integer, b text) returns bigint", "a integer, b text) returns numeric"],
  [
    "another name of a parameter",
    "a integer, b text) returns bigint",
    "c int, b text) returns bigint",
  ],
])("a function of two arguments with %s keeps its grant", async (_, before, after) => {
  const draft = await draftEdit(f(before), f(after));
  expect(draft?.up.at(-1)).toBe(
    "grant execute on function edited.f(integer, text) to authenticated",
  );
});

test("an index on an expression keeps the parentheses that it needs", async () => {
  const index = "create index if not exists t_x on edited.t ((a || b));";
  const columns = table("a text not null, b text not null");
  const draft = await draftEdit(columns, columns + index);
  expect(draft?.text).toContain("((a || b))");
});

describe("a new column that takes no null", () => {
  const before = table("a text");
  const after = table("a text, b text not null unique, c edited.s not null");
  const state = enumOf("'x', 'y'");

  test("is refused with the way to write it", async () => {
    await expect(draftEdit(state + before, state + after)).rejects.toMatchObject({
      code: "plan_unproven",
      remedy: expect.stringContaining("--draft"),
    });
  });

  test("is drafted with the place for its values, and proven with made-up ones", async () => {
    const draft = await draftEdit(state + before, state + after, { backfill: true });
    const [up = ""] = draft?.text.split("-- migrate:down") ?? [];
    expect(up).toMatch(/add column b text;\n\n-- BACKFILL: .*edited\.t .*\n--.*;\n\nalter table/);
    expect(up).toMatch(/alter column c set not null;/);
    expect(up).not.toMatch(/^update/m);
    expect(draft?.backfills).toEqual([
      { table: "edited.t", column: "b" },
      { table: "edited.t", column: "c" },
    ]);
    expect(draft?.proof).toMatchObject({ rows: 24, tables: 11, untried: [] });
  });

  test("is drafted with values that its checks let pass", async () => {
    const after = table("a text, priority int not null check (priority between 5 and 7)");
    const draft = await draftEdit(before, after, { backfill: true });
    expect(draft?.backfills).toEqual([{ table: "edited.t", column: "priority" }]);
    expect(draft?.proof).toMatchObject({ untried: [] });
  });

  const owner = `create table edited.owner (id int primary key);
create function edited.touch() returns trigger language plpgsql as $$ begin new.a := 'touched'; return new; end $$;`;
  const touched =
    "create trigger touch before update on edited.t for each row execute function edited.touch();";
  const reference = [
    owner + before + touched,
    `${owner}${table("a text, owner int not null references edited.owner (id)")}${touched}`,
  ] as const;

  test("and refers to another table is refused too, as rows are made up for it", async () => {
    await expect(draftEdit(...reference)).rejects.toMatchObject({
      code: "plan_unproven",
      remedy: expect.stringContaining("--draft"),
    });
  });

  test("and refers to another table is drafted, with rows that a trigger would change", async () => {
    const draft = await draftEdit(...reference, { backfill: true });
    expect(draft?.backfills).toEqual([{ table: "edited.t", column: "owner" }]);
    expect(draft?.text).not.toContain("session_replication_role");
    expect(draft?.proof).toMatchObject({ rows: 26, tables: 12, untried: [] });
  });
});

describe("a column with a new name", () => {
  const before = table("a text not null");
  const after = table("b text not null, c int");

  test("keeps what it holds where the file asks for it, beside other changes", async () => {
    const renames = [{ table: "edited.t", column: "a", to: "b" }];
    const draft = await draftEdit(before, after, { renames });
    expect(draft?.hazards).toEqual([]);
    expect(draft?.up).toEqual([
      "alter table edited.t\n  rename column a to b",
      "alter table edited.t\n  add column c integer",
    ]);
    expect(draft?.text.split("-- migrate:down")[1]).toContain("rename column b to a;");
    expect(draft?.proof).toMatchObject({ rows: 24, tables: 11, untried: [] });
  });

  test("that is not there is refused", async () => {
    const renames = [{ table: "edited.t", column: "x", to: "b" }];
    await expect(draftEdit(before, after, { renames })).rejects.toMatchObject({
      code: "plan_unproven",
      message: expect.stringContaining('column "x" does not exist'),
    });
  });
});

test("a table with a new name keeps what it holds where the file asks for it, and what refers to it", async () => {
  const before = `create table edited.old (id int primary key);
${table("a int not null references edited.old (id)")}`;
  const after = before.replaceAll("edited.old", "edited.new");
  await expect(draftEdit(before, after)).rejects.toMatchObject({
    code: "plan_unproven",
    remedy: expect.stringContaining("--rename"),
  });
  const draft = await draftEdit(before, after, { renames: [{ table: "edited.old", to: "new" }] });
  expect(draft?.hazards).toEqual([]);
  expect(draft?.up[0]).toBe("alter table edited.old\n  rename to new");
  expect(draft?.text.split("-- migrate:down")[1]).toContain(
    "alter table edited.new\n  rename to old;",
  );
  expect(draft?.proof).toMatchObject({ rows: 26, tables: 12, untried: [] });
});

test("a body that names what only its caller finds is left unchecked where the files say so", async () => {
  const body =
    "create function edited.g() returns text language sql as $$ select later() $$; create type edited.s as enum ('x');";
  const draft = await draftEdit("", `set local check_function_bodies = off;\n${body}`);
  expect(draft?.text).toContain("set local check_function_bodies = off;");
  await expect(draftEdit("", body)).rejects.toMatchObject({ code: "declaration_failed" });
  const plain = await draftEdit("", body.replace("later()", "'x'::text"));
  expect(plain?.text).not.toContain("check_function_bodies");
});

describe("a label of an enum", () => {
  const column = (value: string) => table(`a edited.s not null default '${value}'`);

  test.each([
    ["a default", column("done"), column("open")],
    [
      "a policy",
      `${column("open")} create policy p on edited.t for select to authenticated using (a = 'done');`,
      `${column("open")} create policy p on edited.t for select to authenticated using (a = 'open');`,
    ],
  ])("that is new and used in %s at once is refused, with the remedy", async (_, after, before) => {
    await expect(
      draftEdit(enumOf("'open'") + before, enumOf("'open', 'done'") + after),
    ).rejects.toMatchObject({
      code: "plan_unproven",
      remedy: expect.stringContaining("declare 'done' in edited.s alone"),
    });
  });

  test("that goes comes back on the way down, where a rule uses it at once", async () => {
    const ruled = table("a edited.s not null, b int, check (a <> 'done' or b > 0)");
    const draft = await draftEdit(
      enumOf("'open', 'done'") + ruled,
      enumOf("'open'") + table("a edited.s not null, b int"),
    );
    expect(draft?.text).not.toContain("rowhouse_odd");
    expect(draft?.proof).toMatchObject({ rows: 24, tables: 11, untried: [] });
  });

  test("that goes is a hazard", async () => {
    const draft = await draftEdit(
      enumOf("'open', 'done'") + column("open"),
      enumOf("'open'") + column("open"),
    );
    expect(draft?.hazards).toMatchObject([
      { kind: "drop", object: "edited.s", message: expect.stringContaining("the label 'done'") },
    ]);
  });
});
