import { expect, test } from "vitest";
import { listRowChanges } from "./row-changes.ts";

test.each([
  "insert into api.tasks (title) values ('one')",
  "update api.tasks set completed = true",
  "truncate api.tasks",
  "copy api.tasks from stdin",
  "create table api.old as select * from api.tasks",
  "with gone as (delete from api.tasks returning *) select * from gone",
  "select private.fill_titles()",
  "select pg_catalog.setval('api.numbers', 7)",
  "call private.fill_titles()",
  "do $$ begin update api.tasks as task set completed = true; end $$",
  "do $$ begin perform private.fill_titles(); end $$",
  "do $$\nbegin\ninsert into api.tasks (title) values ('one');\nend\n$$",
  "do $$\nbegin\n\tupdate\tapi.tasks\n\tset completed = true;\nend\n$$",
  "do language plpgsql $$\ndeclare\n\tid int;\nbegin\n\tdelete\n\tfrom api.tasks;\nend\n$$",
  "do '\nbegin\nperform private.fill_titles();\nend\n'",
  "do $$ begin execute 'insert into api.tasks select 1'; end $$",
])("%s changes rows, or may", (sql) => {
  expect(listRowChanges(`create schema api;\n${sql};`).map(({ text }) => text)).toEqual([sql]);
});

test.each([
  "create table api.tasks (id int default 1)",
  "create function api.f() returns void language sql as 'insert into api.tasks values (1)'",
  "create materialized view api.totals as select count(*) from api.tasks",
  "select pg_catalog.set_config('search_path', '', false)",
  "grant select, insert, update, delete on api.tasks to staff",
  "do $$ begin if true then grant insert, update, delete on api.tasks to staff; alter role staff set work_mem = '1MB'; end if; end $$",
  "notify pgrst, 'reload schema'",
])("%s changes none", (sql) => {
  expect(listRowChanges(sql)).toEqual([]);
});
