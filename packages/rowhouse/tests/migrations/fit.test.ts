import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { draftMigration } from "../../src/schema/plan/migration.ts";
import { testScratch } from "../../src/testing/database.ts";
import { copyProject } from "../support/project.ts";

/** Drafts the migration that brings new files below sql/api. */
async function draftFiles(files: Readonly<Record<string, string>>) {
  const root = copyProject();
  for (const [name, sql] of Object.entries(files))
    writeFileSync(join(root, "sql/api", `${name}.sql`), sql);
  const sides = { migrated: testScratch(), declared: testScratch() };
  return draftMigration({ root, dir: join(root, "db/migrations"), ...sides }, "files");
}

const good =
  "-- Kept as it is.\ncreate function api.good() returns integer language sql as 'select 2'";

test("a statement that does not do what its object is leaves the others as people wrote them", async () => {
  const odd = `create table api.odd (id int primary key, z text, a text);
do $$ begin alter table api.odd add b text; end $$;`;
  const draft = await draftFiles({ good: `${good};`, odd });
  expect(draft?.up).toContain(good);
  const table = draft?.up.find((sql) => sql.startsWith("create table api.odd"));
  // Its columns stay in the order of the file.
  expect(table).toMatch(/ id .* z .* a .* b /s);
});

test("new objects that need each other are written as their files, whichever comes first", async () => {
  const a =
    "-- The first.\ncreate table api.a (id int primary key references api.b (id), state api.z)";
  const b = "-- The second.\ncreate table api.b (id int primary key, c int references api.c (id))";
  const c = "-- The third.\ncreate table api.c (id int primary key)";
  const draft = await draftFiles({
    a: `${a};`,
    b: `${b};`,
    c: `${c};`,
    z: "create type api.z as enum ('x');",
  });
  const order = [c, b, a].map((sql) => draft?.up.indexOf(sql) ?? -1);
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((one, other) => one - other));
});

test("upper case and tabs are understood", async () => {
  const table = "CREATE TABLE api.loud (\n\tid INTEGER PRIMARY KEY,\n\tBody TEXT NOT NULL\n)";
  const policy =
    "CREATE POLICY select_own ON api.loud FOR SELECT TO authenticated USING (body = 'FOR ALL')";
  const draft = await draftFiles({
    loud: `${table};\nALTER TABLE api.loud ENABLE ROW LEVEL SECURITY;\n${policy};`,
  });
  expect(draft?.up).toContain(table);
  expect(draft?.up).toContain(policy);
});

test("what belongs to another role is given to it, and stays as people wrote it", async () => {
  const table = "create table api.kept (\n  id int primary key\n)";
  const give = "alter table api.kept owner to authenticated";
  const draft = await draftFiles({ kept: `${table};\n${give};` });
  expect(draft?.up).toEqual([table, give]);
  expect(draft?.hazards).toEqual([]);
});
