import { expect, test } from "vitest";
import { readCatalog, readCatalogOn } from "../../src/schema/catalog/catalog.ts";
import { findHazards } from "../../src/schema/plan/hazards.ts";
import { findRecreated, tablesToEmpty } from "../../src/schema/plan/recreated.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

const url = await cloneDatabase();
await withClient(url, (client) =>
  client.query(`
    create view api.names as select name from api.users;
    create table api.news (id int);
    create policy not_all on api.news as restrictive using (id > 0)
  `),
);

/** The hazards of a change, as "kind object"; the change is undone. */
async function listHazards(change: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const before = await readCatalogOn(client);
    await client.query("begin");
    await client.query(change);
    const hazards = findHazards(before, await readCatalogOn(client));
    await client.query("rollback");
    return [...new Set(hazards.map(({ kind, object }) => `${kind} ${object}`))];
  });
}

test.each([
  ["alter table api.tasks drop column description", "drop api.tasks.description"],
  ["drop table api.tasks", "drop api.tasks"],
  ["drop schema api cascade", "drop api.news", "drop api.tasks", "drop api.users"],
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
  [
    "create role hazards_crowd; grant hazards_crowd to anonymous; grant select on api.tasks to hazards_crowd",
    "anonymous api.tasks",
    "anonymous anonymous",
  ],
  ["drop policy not_all on api.news", "anonymous api.news"],
  ["alter role authenticated bypassrls", "anonymous authenticated"],
])("it is a hazard to: %s", async (change, ...hazards) => {
  expect(await listHazards(change)).toEqual(hazards);
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
  expect(await listHazards(change)).toEqual([]);
});

test("only what holds rows is a hazard to create again, and only a column that must have a value empties its table", async () => {
  const catalog = await readCatalog(url);
  const made = ["drop function api.me()", "drop table api.news"];
  expect(findRecreated(made, catalog, catalog)).toMatchObject([{ object: "api.news" }]);
  const emptied = (object: string) =>
    tablesToEmpty([{ kind: "drop", object, message: "" }], catalog).join();
  expect(["title", "completed", "id"].map((name) => emptied(`api.tasks.${name}`))).toEqual([
    "api.tasks",
    "",
    "",
  ]);
  expect(emptied("api.users.name")).toBe("");
});
