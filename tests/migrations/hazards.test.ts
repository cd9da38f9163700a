import { expect, test } from "vitest";
import { readCatalogOn } from "../../cli/catalog/catalog.ts";
import { hazardsBetween } from "../../cli/diff/hazards.ts";
import { withClient } from "../../cli/stack/database.ts";
import { cloneDatabase } from "../support/database.ts";

const url = await cloneDatabase();
await withClient(url, (client) =>
  client.query("create view api.names as select name from api.users"),
);

/** The hazards of a change, as "kind object"; the change is undone. */
async function hazardsOf(change: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const before = await readCatalogOn(client);
    await client.query("begin");
    await client.query(change);
    const hazards = hazardsBetween(before, await readCatalogOn(client));
    await client.query("rollback");
    return [...new Set(hazards.map(({ kind, object }) => `${kind} ${object}`))];
  });
}

test.each([
  ["alter table api.tasks drop column description", "drop api.tasks.description"],
  ["drop table api.tasks", "drop api.tasks"],
  ["drop schema api cascade", "drop api.tasks", "drop api.users"],
  ["alter table api.tasks alter column description type varchar(10)", "drop api.tasks.description"],
  ["alter table api.tasks disable row level security", "rls-off api.tasks"],
  ["alter table api.tasks no force row level security", "rls-off api.tasks"],
  ["grant select on api.tasks to anonymous", "anonymous api.tasks"],
  ["grant select (title) on api.tasks to anonymous", "anonymous api.tasks.title"],
  ["grant select (title) on api.tasks to public", "anonymous api.tasks.title"],
  ["grant usage on schema api to anonymous", "anonymous api"],
  ["grant execute on function api.me() to anonymous", "anonymous api.me()"],
  [
    "alter default privileges grant execute on functions to public",
    "anonymous functions in every schema",
  ],
  ["alter policy select_own on api.tasks to authenticated, anonymous", "anonymous api.tasks"],
  ["create policy all_see on api.users for select using (true)", "anonymous api.users"],
  ["grant authenticated to anonymous", "anonymous anonymous"],
  ["alter role authenticated bypassrls", "anonymous authenticated"],
])("it is a hazard to: %s", async (change, ...hazards) => {
  expect(await hazardsOf(change)).toEqual(hazards);
});

test.each([
  "alter table api.tasks add column note text",
  "alter table api.tasks alter column description drop default",
  "alter table api.tasks alter column description set statistics 10",
  "alter policy select_own on api.tasks using (completed)",
  "drop policy select_own on api.tasks",
  "grant select on api.tasks to authenticated",
  "create table api.notes (user_id uuid, id uuid)",
  "drop function api.me()",
  "drop view api.names",
  "drop view api.names; create view api.names as select id as name from api.users",
  "alter role authenticated set statement_timeout = '6s'",
])("it is none to: %s", async (change) => {
  expect(await hazardsOf(change)).toEqual([]);
});
