import { expect, test } from "vitest";
import { splitRequired } from "./backfill.ts";

const split = (sql: string) =>
  splitRequired([sql], ({ table, column }) => [`fill ${table} ${column}`]);

test.each([
  ["a plain one", "api.tasks", "due_on", "date", ""],
  ["names with spaces and quotes", 'api."my ""tasks"', '"not null"', "character varying(20)", ""],
  ["a type that reads like a rule", "api.tasks", "state", 'api."a default b"', ""],
  ["a collation, and characters of several bytes", 'api."Aufgäben"', "a", 'text collate "C"', ""],
  ["a check behind it", "api.tasks", "a", "text", " check (a <> ' default x not null')"],
])("a column that takes no null is added in steps: %s", (_what, table, column, type, rest) => {
  expect(split(`alter table ${table}\n  add column ${column} ${type} not null${rest}`)).toEqual([
    `alter table ${table}\n  add column ${column} ${type}${rest}`,
    `fill ${table} ${column}`,
    `alter table ${table}\n  alter column ${column} set not null`,
  ]);
});

test.each([
  "alter table api.tasks\n  add column a text default '' not null",
  "alter table api.tasks\n  add column a text not null default ''",
  "alter table api.tasks\n  add column a int not null generated always as identity",
  "alter table api.tasks\n  add column a int not null generated always as (1) stored",
  "alter table api.tasks\n  add column a text",
  "alter table api.tasks\n  add constraint a check (b is not null)",
  "comment on table api.tasks is\n  'alter table api.a add column b text not null'",
])("what has a value, or needs none, stays as it is: %s", (sql) => {
  expect(split(sql)).toEqual([sql]);
});
