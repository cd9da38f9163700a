import { afterAll, expect, test } from "vitest";
import { readCatalog, readCatalogOn } from "../../src/schema/catalog/catalog.ts";
import { readPublicRoles } from "../../src/schema/plan/anonymous.ts";
import { findHazards } from "../../src/schema/plan/hazards.ts";
import { strongerRoles } from "../../src/schema/plan/public-access.ts";
import { findRecreated, tablesToEmpty } from "../../src/schema/plan/recreated.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

const url = await cloneDatabase();
await withClient(url, (client) =>
  client.query(`
    create view api.names as select name from api.users;
    create table api.news (id int);
    create policy not_all on api.news as restrictive using (id > 0);
    create table api.odd (id int, "not null" int, "using" text, note text default 'a; drop table x');
    alter table api.odd enable row level security;
    create policy "all on api.users" on api.odd as restrictive using (note <> ' to public using (');
    create view api.about as select 'row security enabled and forced' as text;
    create type api.state as enum ('open', 'it''s, done');
    create role "a using b, c";
    revoke usage on schema public from public
  `),
);
// Roles belong to the server, which other tests use, too.
afterAll(() =>
  withClient(url, (client) =>
    client.query('drop owned by "a using b, c"; drop role "a using b, c"'),
  ),
);

/** The hazards of a change, as "kind object"; the change is undone. */
async function listHazards(change: string, anonymous = "anonymous"): Promise<string[]> {
  return withClient(url, async (client) => {
    const before = await readCatalogOn(client);
    await client.query("begin");
    await client.query(change);
    const after = await readCatalogOn(client);
    const publicRoles = await readPublicRoles(client, anonymous);
    const hazards = findHazards({ before, after, publicRoles });
    await client.query("rollback");
    return [...new Set(hazards.map(({ kind, object }) => `${kind} ${object}`))];
  });
}

test("the use of a new type by all, which is PostgreSQL's default, opens nothing", async () => {
  expect(await listHazards("create type api.stage as enum ('open', 'done')")).toEqual([]);
});

test.each([
  ["alter table api.tasks drop column description", "drop api.tasks.description"],
  ["drop table api.tasks", "drop api.tasks"],
  ["drop schema api cascade", "drop api.news", "drop api.odd", "drop api.tasks", "drop api.users"],
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
  ["grant authenticated to anonymous", "power anonymous"],
  [
    "create role hazards_crowd; grant hazards_crowd to anonymous; grant select on api.tasks to hazards_crowd",
    "anonymous api.tasks",
    "power anonymous",
  ],
  ["drop policy not_all on api.news", "anonymous api.news"],
  ["alter role authenticated bypassrls", "power authenticated"],
  ['alter policy select_own on api.tasks to "a using b, c", anonymous', "anonymous api.tasks"],
  ['grant "a using b, c" to anonymous', "power anonymous"],
  [
    'grant "a using b, c" to anonymous; alter policy select_own on api.tasks to "a using b, c"',
    "anonymous api.tasks",
    "power anonymous",
  ],
  ['alter policy "all on api.users" on api.odd using (true)', "anonymous api.odd"],
  ['drop policy "all on api.users" on api.odd', "anonymous api.odd"],
  ["alter table api.odd disable row level security", "rls-off api.odd"],
  ['alter table api.odd drop column "using"', 'drop api.odd."using"'],
  ['alter table api.odd alter column "not null" type text', 'drop api.odd."not null"'],
  ["grant usage on schema public to public", "anonymous public"],
  ["alter table api.odd owner to authenticated", "rls-off api.odd"],
  ["alter function api.me() owner to anonymous", "anonymous api.me()"],
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
  "alter table api.tasks owner to authenticated",
  // What only reads like one.
  "drop view api.about; create view api.about as select 'row security disabled' as text",
  `comment on table api.odd is 'drop table api.odd; alter policy p to public'`,
  "alter table api.odd alter column note set default 'b to public'",
  `alter policy select_own on api.tasks using (title <> ' to anonymous using (')`,
  `create policy " to public using (" on api.odd to authenticated using (true)`,
  `grant select on api.odd to "a using b, c"`,
  `create policy own on api.odd to "a using b, c" using (true)`,
  `alter policy select_own on api.tasks to "a using b, c"`,
  `alter table api.odd add column "default" text`,
])("it is none to: %s", async (change) => {
  expect(await listHazards(change)).toEqual([]);
});

test.each([["anon"], ["web anon"]])(
  "who is anonymous is found, whatever it is called: %s",
  async (name) => {
    const quoted = `"${name}"`;
    const opened = `grant select on api.tasks to ${quoted}; create policy all_see on api.users to ${quoted} using (true)`;
    const create = `create role ${quoted}; create role crowd_of_anon; grant crowd_of_anon to ${quoted};`;
    const both = ["anonymous api.tasks", "anonymous api.users"];
    expect(await listHazards(`${create} ${opened}`, name)).toEqual(both);
    const nameless = `${create} ${opened.replaceAll(quoted, "crowd_of_anon")}`;
    expect(await listHazards(nameless, name)).toEqual(both);
    expect(await listHazards(`${create} ${opened}`)).toEqual([]);
    // PostgREST also reads it from the settings of its role.
    const setting = `alter role authenticator set pgrst.db_anon_role = '${name}';`;
    expect(await listHazards(`${create} ${setting} ${opened}`)).toEqual(both);
  },
);

test("another power is named alone, and what a role loses is none", async () => {
  const facts = {
    role: "authenticated",
    login: false,
    inherit: false,
    superuser: false,
    createRole: false,
    createDatabase: false,
    replication: false,
    bypassRls: false,
    connectionLimit: null,
    settings: [],
    memberOf: ["pg_monitor"],
  };
  const role = (memberOf: string[]) => [
    { kind: "role" as const, name: "authenticated", definition: "", facts: { ...facts, memberOf } },
  ];
  expect(strongerRoles(role(["pg_monitor"]), role(["pg_monitor", "staff"]))).toEqual([
    {
      kind: "power",
      object: "authenticated",
      message: "It gives the role authenticated another power: member of staff.",
    },
  ]);
  expect(strongerRoles(role(["pg_monitor", "staff"]), role(["staff"]))).toEqual([]);
});

test("only what holds rows is a hazard to create again, and only a column that must have a value empties its table", async () => {
  const catalog = await readCatalog(url);
  const made = [
    "drop function api.me()",
    "drop table api.news",
    "comment on table api.odd is 'drop table api.odd'",
    "/* drop table api.users */ select 'drop table api.users'",
    'alter table api.odd\n  drop column "using"',
  ];
  expect(
    findRecreated(made, catalog, catalog)
      .map(({ object }) => object)
      .toSorted(),
  ).toEqual(["api.news", 'api.odd."using"']);
  const emptied = (object: string) =>
    tablesToEmpty([{ kind: "drop", object, message: "" }], catalog).join();
  expect(emptied("api.odd.note")).toBe("");
  expect(emptied('api.odd."not null"')).toBe("");
  expect(["title", "completed", "id"].map((name) => emptied(`api.tasks.${name}`))).toEqual([
    "api.tasks",
    "",
    "",
  ]);
  expect(emptied("api.users.name")).toBe("");
});
