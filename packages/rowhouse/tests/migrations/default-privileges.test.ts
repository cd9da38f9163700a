import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { draftMigration } from "../../src/schema/plan/migration.ts";
import { testScratch } from "../../src/testing/database.ts";
import { copyProject } from "../support/project.ts";

/** Drafts what some SQL needs after a migration of which sql/ has a copy; both are in one schema. */
async function draftAfter(migrated: string, later: string) {
  const root = copyProject();
  const dir = join(root, "db/migrations");
  writeFileSync(
    join(dir, "20991231000000_earlier.sql"),
    `-- migrate:up\ncreate schema extra;\n${migrated}\n-- migrate:down\ndrop schema extra cascade;\n`,
  );
  // Files are read in the order of their names: the later objects come first.
  writeFileSync(join(root, "sql/api/a.sql"), `create schema extra;\n${later}`);
  writeFileSync(join(root, "sql/api/b.sql"), migrated);
  return draftMigration({ root, dir, migrated: testScratch(), declared: testScratch() }, "later");
}

const later = `create function extra.one(a integer, b text) returns integer language sql as 'select 1';
create table extra.notes (id int primary key, body text);
create sequence extra.numbers;
create type extra.state as enum ('a');
`;

test.each([
  ["in every schema", ""],
  ["in one schema", "in schema extra "],
])("what default privileges %s would grant is taken where it is not declared", async (_, where) => {
  const draft = await draftAfter(
    `alter default privileges ${where}grant execute on functions to authenticated;
alter default privileges ${where}grant select, insert on tables to authenticated;
alter default privileges ${where}grant usage on sequences to authenticated;`,
    later,
  );
  expect(draft?.text).toContain(
    "revoke execute on function extra.one(integer, text) from authenticated;",
  );
  expect(draft?.text).toContain("on extra.notes from authenticated;");
});

test("what default privileges grant is not granted again", async () => {
  const defaults = `alter default privileges in schema extra grant select on tables to authenticated;`;
  const draft = await draftAfter(defaults, "");
  expect(draft).toBeUndefined();
  const root = copyProject();
  const dir = join(root, "db/migrations");
  writeFileSync(
    join(dir, "20991231000000_earlier.sql"),
    `-- migrate:up\ncreate schema extra; ${defaults}\n-- migrate:down\ndrop schema extra;\n`,
  );
  writeFileSync(
    join(root, "sql/api/a.sql"),
    `create schema extra; ${defaults} create table extra.notes (id int primary key);`,
  );
  const sides = { migrated: testScratch(), declared: testScratch() };
  const table = await draftMigration({ root, dir, ...sides }, "table");
  expect(table?.up).toEqual(["create table extra.notes (id int primary key)"]);
});

test("default privileges that arrive with the objects, and those of another role, are planned", async () => {
  const draft = await draftAfter(
    "select 1;",
    `alter default privileges for role authenticated in schema extra grant select on tables to anonymous;
alter default privileges in schema extra grant execute on functions to authenticated;
${later}`,
  );
  expect(draft?.text).toContain(
    "alter default privileges for role authenticated in schema extra grant select on tables to anonymous;",
  );
  expect(draft?.text).toContain(
    "grant execute on function extra.one(integer, text) to authenticated;",
  );
});
