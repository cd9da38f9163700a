import { expect, test } from "vitest";
import { findInseparable } from "./beside-rows.ts";

const change = "update api.tasks set completed = true";

test.each([
  "alter table api.tasks disable trigger user",
  "alter table api.tasks disable trigger tasks_step_updated_at",
  "alter table api.tasks enable always trigger tasks_step_updated_at",
  "alter table api.tasks no force row level security",
  "alter table api.tasks disable row level security",
  "drop trigger tasks_step_updated_at on api.tasks",
  "set local search_path = api",
  "set local role staff",
  "set session_replication_role = replica",
  "select set_config('app.user', '1', true)",
  "create temporary table ids (id int)",
  "create temporary view ids as select 1",
  "prepare change as update api.tasks set title = $1",
  "refresh materialized view api.totals",
  "lock table api.tasks",
  "do $$ begin set local role staff; end $$",
])("a change of rows is not run without: %s", (sql) => {
  expect(findInseparable(`-- Why.\n${sql};\n${change};`)?.text).toBe(`-- Why.\n${sql}`);
  expect(findInseparable(`${change};\n${sql};`)?.text).toBe(sql);
  expect(findInseparable(sql)).toBeUndefined();
});

test.each([
  "create table api.old as select * from api.tasks",
  "create temporary table ids as select id from api.tasks",
  "select * into api.old from api.tasks",
])("a table of rows is not made again: %s", (sql) => {
  expect(findInseparable(sql)?.text).toBe(sql);
});

test.each([
  "insert into api.tasks (title) values ('one')",
  "alter table api.tasks add column note text",
  "alter table api.tasks enable row level security",
  "create table api.kinds (id int)",
  "create index on api.tasks (title)",
  "create function api.f() returns int language sql as 'select 1'",
  "create trigger step before update on api.tasks for each row execute function private.f()",
  "create policy own on api.tasks using (true)",
  "create materialized view api.totals as select count(*) from api.tasks",
  "drop view api.totals",
  "comment on table api.tasks is 'One.'",
  "grant select on api.tasks to staff",
  "set local lock_timeout = '3s'",
  "notify pgrst, 'reload schema'",
])("a change of rows is run without: %s", (sql) => {
  expect(findInseparable(`${sql};\n${change};`)).toBeUndefined();
});
