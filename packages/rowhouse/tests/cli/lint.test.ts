import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { inspect } from "../../src/access/model/inspect.ts";
import { lint } from "../../src/health/lint/lint.ts";
import { readRules } from "../../src/health/lint/rules.ts";
import { openProject } from "../../src/lib/project.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { readApiNames } from "../../src/stack/api-names.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, emptyDatabase, migratedClone } from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";
import { sharedTableSql } from "../support/shared-table.ts";

let client: pg.Client;

beforeAll(async () => {
  const url = await emptyDatabase();
  await buildDeclared(url);
  client = new pg.Client({ connectionString: url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
});

/** What lint finds in a database: "rule | object: finding". */
async function listFindings(database: pg.ClientBase): Promise<string[]> {
  const { findings } = await lint(database, await readApiNames(database, openProject()));
  return findings.flatMap(({ rule, object, findings: all }) =>
    all.map((finding) => `${rule} | ${object}: ${finding}`),
  );
}

/** What lint finds after a change, which is undone: roles belong to the whole server. */
async function findingsAfter(change: string): Promise<string[]> {
  await client.query("begin");
  try {
    await client.query(change);
    return await listFindings(client);
  } finally {
    await client.query("rollback");
  }
}

const body = (text: string) => `
  create or replace function private.check_if_match() returns trigger language plpgsql
  set search_path = '' as $$ begin ${text} end $$`;

/** A shared table, and a change of it. */
const shared = (change: string) => `${sharedTableSql("lists")}; ${change}`;

const isMember = "request.is_member_of_lists(uuid,text)";
const withoutIndex = (table: string, key: string) =>
  `foreign_key_index | ${table}: no index on all of its rows begins with a column of the foreign key ${key}`;

const isExposed = "the function runs as its owner, and authenticated may call it at /rpc/";
const runsAsOwner = "the function runs as its owner, and";

/** A security definer function like that of a shared table, but for one thing. */
const definer = ({
  name = "request.is_alice()",
  returns = "boolean",
  body = "return request.user_id() is not null",
}) => `
  create function ${name} returns ${returns} language sql stable security definer
  set search_path = '' ${body};
  comment on function ${name} is 'Security definer because it is a test.'`;

/** A table that breaks no other rule. */
const commented = (table: string, columns: string) => `
  create table api.${table} (${columns});
  alter table api.${table} enable row level security, force row level security;
  comment on table api.${table} is 'It is a test.';
  do $$ declare name name; begin
    for name in
      select attname from pg_attribute where attrelid = 'api.${table}'::regclass and attnum > 0
    loop
      execute format('comment on column api.${table}.%I is %L', name, 'A column.');
    end loop;
  end $$`;

/** A table that anonymous requests may change, as far as policies let them. */
const open = (change: string) => `${commented("items", "id int primary key")};
  grant usage on schema api to anonymous;
  grant insert, update, delete on api.items to anonymous; ${change}`;

/** What breaks each rule, and what lint says of it. */
const breaks: Record<string, readonly (readonly [change: string, ...findings: string[]])[]> = {
  row_security: [
    [
      "alter table api.tasks disable row level security",
      "api.tasks: its row-level security is off",
    ],
    [
      `create foreign data wrapper far; create server far foreign data wrapper far;
       create foreign table api.far () server far; comment on foreign table api.far is 'Far.'`,
      "api.far: a foreign table knows no row-level security",
    ],
    [
      `create table api.parted (id int primary key) partition by list (id);
       alter table api.parted enable row level security;
       alter table api.parted force row level security;
       create table api.closed partition of api.parted for values in (1);
       create table api.open partition of api.parted for values in (2);
       grant select on api.open to authenticated;
       comment on table api.parted is 'A.'; comment on column api.parted.id is 'A.';
       comment on table api.closed is 'A.'; comment on column api.closed.id is 'A.';
       comment on table api.open is 'A.'; comment on column api.open.id is 'A.'`,
      "api.open: its row-level security is off",
    ],
    [
      shared("alter table api.lists_members disable row level security"),
      "api.lists_members: its row-level security is off",
    ],
  ],
  row_security_forced: [
    [
      "alter table api.users no force row level security",
      "api.users: its row-level security is not forced",
    ],
    [
      shared("alter table api.lists no force row level security"),
      "api.lists: its row-level security is not forced",
    ],
    [
      shared(
        "create role other superuser; alter function request.is_member_of_lists owner to other",
      ),
      "api.lists_members: its row-level security is not forced",
    ],
  ],
  owned_keys: [
    [
      `alter table api.tasks add column giver uuid, add unique (user_id, giver, id),
         add foreign key (id, user_id, giver) references api.tasks (id, giver, user_id);
       grant select (giver) on api.tasks to authenticated;
       comment on column api.tasks.giver is 'The giver.'`,
      "api.tasks: the foreign key tasks_id_user_id_giver_fkey pairs user_id with another column",
    ],
    [
      `alter table api.tasks drop constraint tasks_pkey;
       create index on api.tasks (user_id)`,
      "api.tasks: it has no primary key",
    ],
    [
      `alter table api.tasks drop constraint tasks_pkey, add primary key (id);
       create index on api.tasks (user_id)`,
      "api.tasks: the key tasks_pkey lacks user_id",
    ],
    [
      "alter table api.tasks add foreign key (id) references api.users (id)",
      withoutIndex("api.tasks", "tasks_id_fkey (id)"),
      "api.tasks: the foreign key tasks_id_fkey lacks user_id",
    ],
    [
      `create unique index "one Title" on api.tasks (title) include (user_id)`,
      `api.tasks: the key "one Title" lacks user_id`,
    ],
    [
      "alter table api.tasks add constraint other_title exclude using btree (title with =)",
      "api.tasks: the key other_title lacks user_id",
    ],
    [
      shared(
        "alter policy insert_owners on api.lists_members with check (user_id = request.user_id())",
      ),
      "api.lists_members: the foreign key lists_members_group_id_fkey lacks user_id",
    ],
    [
      shared("alter policy update_owners on api.lists_members using (true) with check (true)"),
      "api.lists_members: the foreign key lists_members_group_id_fkey lacks user_id",
    ],
    [
      shared(
        `alter table api.lists_members add column other uuid references api.lists;
         grant select (other) on api.lists_members to authenticated;
         comment on column api.lists_members.other is 'Another list.'`,
      ),
      withoutIndex("api.lists_members", "lists_members_other_fkey (other)"),
      "api.lists_members: the foreign key lists_members_other_fkey lacks user_id",
    ],
  ],
  owned_index: [
    [
      `alter table api.tasks drop constraint tasks_pkey, add primary key (id, user_id);
       create index on api.tasks (user_id) where completed`,
      "api.tasks: no index on all of its rows leads with user_id",
    ],
  ],
  planned_counts: [
    [
      `create function request.caller() returns uuid language plpgsql stable set search_path = ''
         as $$ begin return request.user_id(); end $$;
       comment on function request.caller() is 'The caller.';
       grant execute on function request.caller() to authenticated;
       alter policy select_own on api.tasks using (user_id = request.caller())`,
      "api.tasks: authenticated gets planned counts, over the rows of all users",
    ],
    [
      `alter policy select_own on api.users
       using (id::text = nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')`,
      "api.users: authenticated gets planned counts, over the rows of all users",
    ],
    [
      `alter policy select_own on api.users
       using (id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub')`,
      "api.users: authenticated gets planned counts, over the rows of all users",
    ],
    [
      shared(
        "alter policy select_members on api.lists_members using (request.is_member_of_lists(group_id))",
      ),
      "api.lists_members: authenticated gets planned counts, over the rows of all users",
    ],
    [
      `create view api.tallies with (security_invoker = on) as
         select oid::int as tally from pg_catalog.pg_class;
       comment on view api.tallies is 'Tallies.';
       comment on column api.tallies.tally is 'A tally.';
       grant select on api.tallies to authenticated`,
      "api.tallies: authenticated gets planned counts, over the rows of all users",
    ],
  ],
  policy_to_public: [
    [
      "alter policy select_own on api.tasks to public",
      "api.tasks.select_own: the policy is to PUBLIC",
    ],
  ],
  policy_shape: [
    [
      `create policy all_own on api.tasks to authenticated using (true);
       comment on policy all_own on api.tasks is 'All.'`,
      "api.tasks.all_own: the policy is for all commands",
    ],
    [
      "alter policy select_own on api.tasks rename to own_tasks",
      "api.tasks.own_tasks: the policy is not named select_<who>",
    ],
    [
      `drop policy update_own on api.tasks;
       create policy update_own on api.tasks for update to authenticated using (true);
       comment on policy update_own on api.tasks is 'Any.'`,
      "api.tasks.update_own: the policy for update has no WITH CHECK",
    ],
    [
      `create policy select_shared on api.tasks for select to authenticated using (true);
       comment on policy select_shared on api.tasks is 'Shared.'`,
      "api.tasks.select_shared: another policy is for select, too",
    ],
  ],
  view_rights: [
    [
      `create view api.titles as select title from api.tasks;
       comment on view api.titles is 'Titles.';
       comment on column api.titles.title is 'A title.'`,
      "api.titles: the view reads with its owner's rights",
    ],
    [
      `create materialized view api.titles as select title from api.tasks;
       comment on materialized view api.titles is 'Titles.';
       comment on column api.titles.title is 'A title.'`,
      "api.titles: it is a materialized view",
    ],
  ],
  function_search_path: [
    [
      "alter function api.me() reset all; alter function api.me() set work_mem = '4MB'",
      "api.me(): the function takes the caller's search_path",
    ],
  ],
  definer_search_path: [
    [
      `${definer({})}; alter function request.is_alice() reset search_path`,
      "request.is_alice(): the function runs as its owner, with the caller's search_path",
    ],
  ],
  function_to_public: [
    ["grant execute on function api.me() to public", "api.me(): PUBLIC may execute the function"],
  ],
  security_definer: [
    [
      "alter function api.me() security definer",
      `exposed_definer | api.me(): ${isExposed}me`,
      `api.me(): ${runsAsOwner} its body is a string`,
      `api.me(): ${runsAsOwner} its comment gives no reason`,
      `api.me(): ${runsAsOwner} may write`,
      `api.me(): ${runsAsOwner} returns more than yes or no`,
    ],
    [
      shared(`comment on function ${isMember} is 'Whether the caller is a member.'`),
      `${isMember}: ${runsAsOwner} its comment gives no reason`,
    ],
    [shared(`alter function ${isMember} volatile`), `${isMember}: ${runsAsOwner} may write`],
    [
      shared(`alter function ${isMember} set search_path = 'api'`),
      `${isMember}: ${runsAsOwner} its search_path is not empty`,
    ],
    [
      shared(`grant execute on function ${isMember} to anonymous`),
      `${isMember}: ${runsAsOwner} not authenticated alone may execute it`,
    ],
    [
      shared(`grant execute on function ${isMember} to public`),
      `${isMember}: ${runsAsOwner} not authenticated alone may execute it`,
    ],
    [
      definer({ returns: "uuid", body: "return request.user_id()" }),
      `request.is_alice(): ${runsAsOwner} returns more than yes or no`,
    ],
    [
      definer({
        returns: "setof boolean",
        body: "begin atomic select request.user_id() is null; end",
      }),
      `request.is_alice(): ${runsAsOwner} returns more than yes or no`,
    ],
    [
      definer({ body: "as 'select request.user_id() is not null'" }),
      `request.is_alice(): ${runsAsOwner} its body is a string`,
    ],
    [
      definer({ body: "return request.email() is not null" }),
      `request.is_alice(): ${runsAsOwner} does not ask request.user_id()`,
    ],
    [
      definer({ name: "private.is_alice(user_id uuid)" }),
      `private.is_alice(uuid): ${runsAsOwner} takes a user as an argument`,
    ],
  ],
  exposed_definer: [
    [
      `${definer({ name: "api.is_alice()" })};
       revoke execute on function api.is_alice() from public;
       grant execute on function api.is_alice() to authenticated`,
      `api.is_alice(): ${isExposed}is_alice`,
    ],
  ],
  raised_errors: [
    [body("raise sqlstate '40001';"), "private.check_if_match(): the function raises 40001"],
    [
      body("raise exception 'It''s -- full' using errcode = 'too_many_connections';"),
      "private.check_if_match(): the function raises too_many_connections",
    ],
    [
      body("raise Serialization_Failure;"),
      "private.check_if_match(): the function raises Serialization_Failure",
    ],
    [
      body("raise exception sqlstate '08006'; raise sqlstate 'PT503';"),
      "private.check_if_match(): the function raises 08006",
      "private.check_if_match(): the function raises PT503",
    ],
    [
      `create or replace function private.check_if_match() returns trigger language plpgsql
       set search_path = '' as $$ declare code text := '40001'; begin
       raise exception 'x' using errcode = code; end $$`,
      "private.check_if_match(): the function raises 40001",
    ],
  ],
  missing_comments: [
    ["comment on schema api is null", "schema api: it has no comment"],
    ["comment on table api.tasks is E' \\t\\n'", "api.tasks: it has no comment"],
    ["comment on column api.tasks.title is null", "api.tasks.title: the column has no comment"],
    ["comment on function api.me() is null", "api.me(): the function has no comment"],
    [
      "comment on policy select_own on api.tasks is null",
      "api.tasks.select_own: the policy has no comment",
    ],
  ],
  excess_grants: [
    [
      "grant truncate on api.tasks to authenticated; grant trigger on api.users to anonymous",
      "api.tasks: TRUNCATE is granted to authenticated",
      "api.users: TRIGGER is granted to anonymous",
    ],
    [
      "grant references (id) on api.users to public",
      "api.users.id: REFERENCES is granted to PUBLIC",
    ],
    [
      "grant create on schema private to authenticator",
      "schema private: CREATE is granted to authenticator",
    ],
    [
      `do $$ begin execute format('grant temporary, create on database %I to public', current_database()); end $$`,
      "the database: CREATE is granted to PUBLIC",
      "the database: TEMPORARY is granted to PUBLIC",
    ],
    [
      `alter default privileges grant truncate on tables to public;
       alter default privileges in schema api grant trigger on tables to authenticated`,
      "new tables: TRUNCATE is granted to PUBLIC",
      "new tables in api: TRIGGER is granted to authenticated",
    ],
  ],
  exact_numbers: [
    [
      commented("items", "id bigint, n integer, price numeric(12, 2), x double precision"),
      "api.items.id: the type of the column is bigint",
      "api.items.price: the type of the column is numeric",
    ],
    [
      `create domain private.amount as numeric;
       create domain private.price as private.amount;
       ${commented("items", "a private.price, b numeric[], c private.price[]")}`,
      "api.items.a: the type of the column is private.price",
      "api.items.b: the type of the column is numeric[]",
      "api.items.c: the type of the column is private.price[]",
    ],
    [
      `create view api.totals with (security_invoker = on) as select count(*) as n from api.tasks;
       comment on view api.totals is 'Totals.';
       comment on column api.totals.n is 'The tasks.'`,
      "api.totals.n: the type of the column is bigint",
    ],
  ],
  awkward_names: [
    [
      commented("items", `id int, "limit" int, "a.b" int, "Title" text, "x,y" int, "größe" int`),
      `api.items."Title": the column's name needs quotes`,
      `api.items."a.b": the column's name needs quotes`,
      `api.items."größe": the column's name needs quotes`,
      `api.items."limit": the column's name means something in the address of a request`,
      `api.items."x,y": the column's name needs quotes`,
    ],
    ...[`"select"`, `"order"`, `"offset"`, "columns", "on_conflict", `"and"`, `"or"`, `"not"`].map(
      (name): [string, string] => [
        commented("items", `${name} int`),
        `api.items.${name}: the column's name means something in the address of a request`,
      ],
    ),
    [commented(`"My Items"`, "id int"), `api."My Items": the name needs quotes`],
    [`alter function api.me() rename to "myTasks"`, `api."myTasks"(): the name needs quotes`],
    [
      `create function api.find("order" text, "Text" text, plain int) returns int language sql
       set search_path = '' return 1;
       revoke execute on function api.find from public;
       comment on function api.find is 'Finds.'`,
      `api.find(text,text,integer): the name of the argument "Text" needs quotes`,
      `api.find(text,text,integer): the name of the argument "order" means something in the address of a request`,
    ],
  ],
  column_grants: [
    [
      `alter table api.tasks add column due_on date;
       comment on column api.tasks.due_on is 'When it is due.'`,
      "api.tasks.due_on: authenticated may read other columns of it, and not this one",
    ],
    [
      "revoke select (title, description) on api.tasks from authenticated",
      "api.tasks.description: authenticated may read other columns of it, and not this one",
      "api.tasks.title: authenticated may read other columns of it, and not this one",
    ],
    [
      // No request has the role staff.
      `create role staff;
       ${commented("items", "id integer, name text")};
       grant select (id) on api.items to staff, public`,
      "api.items.name: PUBLIC may read other columns of it, and not this one",
    ],
    [
      `create view api.titles with (security_invoker = on) as select id, title from api.tasks;
       comment on view api.titles is 'Titles.';
       comment on column api.titles.id is 'The id.';
       comment on column api.titles.title is 'The title.';
       grant select (id) on api.titles to authenticated`,
      "api.titles.title: authenticated may read other columns of it, and not this one",
    ],
  ],
  anonymous_writes: [
    [
      open(`create policy insert_any on api.items for insert to anonymous with check (id > 0);
        comment on policy insert_any on api.items is 'Any.'`),
      "api.items.insert_any: anonymous may insert by the policy, which asks nothing about the caller",
    ],
    [
      open(`create policy update_any on api.items for update to anonymous using (true) with check (true);
        create policy delete_any on api.items for delete to anonymous using (id > 0);
        comment on policy update_any on api.items is 'Any.';
        comment on policy delete_any on api.items is 'Any.'`),
      "api.items.delete_any: anonymous may delete by the policy, which asks nothing about the caller",
      "api.items.update_any: anonymous may update by the policy, which asks nothing about the caller",
    ],
    [
      open("alter table api.items disable row level security"),
      "api.items: anonymous may delete, insert, update, and its row-level security is off",
      "row_security | api.items: its row-level security is off",
    ],
    [
      // Each asks about the caller, and lets one without a token pass.
      open(`create policy insert_role on api.items for insert to anonymous
          with check (current_setting('request.jwt.claims', true)::json ->> 'role' = any (array['anonymous', 'authenticated']) and id > 0);
        create policy delete_nameless on api.items for delete to anonymous using ((request.user_id() is null and id > 7) or id = 7 and request.user_id() is not null);
        create policy update_plain on api.items for update to anonymous
          using ((select current_user) = 'anonymous') with check (current_setting('request.headers', true) is not null);
        comment on policy insert_role on api.items is 'Any.';
        comment on policy delete_nameless on api.items is 'Any.';
        comment on policy update_plain on api.items is 'Any.'`),
      "api.items.delete_nameless: anonymous may delete by the policy, which lets requests without a token pass",
      "api.items.insert_role: anonymous may insert by the policy, which lets requests without a token pass",
      "api.items.update_plain: anonymous may update by the policy, which lets requests without a token pass",
    ],
    [
      // An update passes the USING of the one, and the WITH CHECK of the other.
      open(`create policy update_from on api.items for update to anonymous
          using (true) with check (id::text = request.user_id()::text);
        create policy update_to on api.items for update to anonymous
          using (id::text = request.user_id()::text) with check (current_user = 'anonymous');
        comment on policy update_from on api.items is 'From.';
        comment on policy update_to on api.items is 'To.'`),
      "api.items.update_from: anonymous may update by the policy and others: its USING asks nothing about the caller",
      "api.items.update_to: anonymous may update by the policy and others: its WITH CHECK lets requests without a token pass",
      "policy_shape | api.items.update_to: another policy is for update, too",
    ],
  ],
  policy_functions: [
    [
      `create function request.is_late() returns boolean language sql stable set search_path = '' return true;
       comment on function request.is_late() is 'Whether it is late.';
       revoke execute on function request.is_late() from public;
       alter policy delete_own on api.tasks using (user_id = request.user_id() and case when completed then request.is_late() else true end)`,
      "request.is_late(): authenticated may not execute the function, and policies of api.tasks call it",
    ],
  ],
  policy_recursion: [
    [
      `alter policy select_own on api.tasks using (
         user_id = request.user_id() or exists (select from api.tasks as other where other.id = tasks.id))`,
      'api.tasks: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "tasks" (in select_own)',
    ],
  ],
  foreign_key_index: [
    [
      `${commented("items", "id int primary key, parent int references api.items, other int")};
       create index on api.items (other, parent);
       create index on api.items (parent) where other > 0`,
      "api.items: no index on all of its rows begins with a column of the foreign key items_parent_fkey (parent)",
    ],
  ],
  failing_requests: [
    [
      "alter policy select_own on api.users using (1 / 0 = 1)",
      "api.users: every select by authenticated fails: 22012 division by zero (in select_own)",
    ],
  ],
  failing_rows: [
    [
      `insert into api.users (name) values ('Alice');
       alter policy select_own on api.users using (request.plannable() and name::date is null)`,
      'api.users: select by authenticated fails in 2 of 2 tries (1 row, 2 callers with the claims role, sub and email): 22007 invalid input syntax for type date: "Alice" (in select_own)',
    ],
  ],
  fallible_policies: [
    [
      `insert into api.users (name) values ('Alice');
       alter policy select_own on api.users using (id = request.user_id() and 1 / (char_length(name) - 11) > 0)`,
      "api.users.select_own: the policy can fail for some rows or claims: it divides by an expression over name",
    ],
    [
      `create function request.org() returns uuid language plpgsql stable
       as 'begin if request.user_id() is null then raise ''No claim org.''; end if; return null; end';
       comment on function request.org() is 'The organisation of the caller.';
       revoke execute on function request.org() from public;
       grant execute on function request.org() to authenticated;
       alter policy select_own on api.users using (id = request.user_id() or id = request.org())`,
      "api.users.select_own: the policy can fail for some rows or claims: it calls request.org(), which raises an error",
    ],
  ],
  role_powers: [
    ["alter role anonymous superuser", "anonymous: the role has SUPERUSER"],
    ["alter role authenticated login", "authenticated: the role has LOGIN"],
    [
      "alter role authenticator createrole replication createdb",
      "authenticator: the role has CREATEDB",
      "authenticator: the role has CREATEROLE",
      "authenticator: the role has REPLICATION",
    ],
    ["alter role authenticator bypassrls", "authenticator: the role has BYPASSRLS"],
    [
      "grant pg_read_all_data to authenticator",
      "authenticator: the role is a member of pg_read_all_data",
    ],
    ["grant anonymous to authenticated", "authenticated: the role is a member of anonymous"],
  ],
};

for (const [rule, changes] of Object.entries(breaks)) {
  for (const [change, ...findings] of changes) {
    test(`the rule ${rule} finds of ${findings.join(", and of ")}`, async () => {
      expect(await findingsAfter(change)).toEqual(
        findings.map((one) => (one.includes(" | ") ? one : `${rule} | ${one}`)),
      );
    });
  }
}

test("a view with its owner's rights that anonymous requests may write is found, unless its WHERE asks who they are", async () => {
  const findings = await findingsAfter(`${commented("items", "id int")};
    grant usage on schema api to anonymous;
    create view api.all_items as select id from api.items;
    create view api.own_items as select id from api.items where request.user_id() is not null;
    create view api.checked_items as select id from api.items where request.user_id() is not null with check option;
    create view api.items_by_invoker with (security_invoker = on) as select id from api.items;
    create view api.counted_items as select count(*) as id from api.items;
    create function private.double(int) returns int language sql immutable return 2 * $1;
    create view api.doubled_items as select id, private.double(id) as double from api.items where private.double(id) > 0;
    create view api.signed_items as select id, request.user_id() as reader from api.items where id > 0 order by id;
    create view api.user_items as select id from api.items where current_user <> 'anonymous' and id > 0 order by id;
    grant insert, update, delete on api.all_items, api.own_items, api.checked_items, api.items_by_invoker, api.counted_items,
      api.doubled_items, api.signed_items, api.user_items to anonymous`);
  const rights = "through the view, with the rights of its owner";
  expect(findings.filter((one) => one.startsWith("anonymous_writes"))).toEqual([
    `anonymous_writes | api.all_items: anonymous may delete, insert, update ${rights}`,
    `anonymous_writes | api.doubled_items: anonymous may delete, insert, update ${rights}`,
    `anonymous_writes | api.own_items: anonymous may insert ${rights}`,
    `anonymous_writes | api.signed_items: anonymous may delete, insert, update ${rights}`,
    `anonymous_writes | api.user_items: anonymous may insert ${rights}`,
  ]);
});

test("every rule has something that breaks it, a reason, a cost and a remedy", () => {
  const rules = readRules();
  expect(rules.map(({ name }) => name)).toEqual(Object.keys(breaks).sort());
  const notes = rules.filter(({ level }) => level === "note");
  expect(notes.map(({ name }) => name)).toEqual([
    "awkward_names",
    "exact_numbers",
    "failing_rows",
    "fallible_policies",
    "foreign_key_index",
  ]);
  for (const { why, cost, remedy } of rules) {
    expect(why).toMatch(/^[A-Z].*\.$/);
    expect(cost).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/\w/);
  }
});

test("a column that a role may read by another grant breaks no rule", async () => {
  const byTable = `alter table api.tasks add column due_on date;
    comment on column api.tasks.due_on is 'When it is due.';
    grant select on api.tasks to authenticated`;
  expect(await findingsAfter(byTable)).toEqual([]);
});

test("the declared database has no findings", async () => {
  expect(await findingsAfter("select")).toEqual([]);
});

test.each([
  ["a shared table, with the function that asks who is a member", shared("")],
  ["a security definer function that says yes or no about its caller", definer({})],
  ["a comment that speaks of 40001", body("-- never raise sqlstate '40001'\n return new;")],
  ["a handler of 40001", body("return new; exception when sqlstate '40001' then return null;")],
  ["a message that names a condition", body("raise exception 'disk_full';")],
  [
    "a variable that holds a harmless error, beside a handler of 40001",
    `create or replace function private.check_if_match() returns trigger language plpgsql
     set search_path = '' as $$ declare code text := 'PT409'; begin
     raise exception 'x' using errcode = code;
     exception when sqlstate '40001' then return null; end $$`,
  ],
  [
    "a policy for anonymous requests that asks about the caller, or that another one holds",
    open(`create policy insert_own on api.items for insert to anonymous
        with check (current_setting('request.headers', true)::json ->> 'x-key' = 'a key');
      create policy delete_any on api.items for delete to anonymous using (true);
      create policy delete_none on api.items as restrictive for delete to anonymous using (false);
      comment on policy insert_own on api.items is 'Own.';
      comment on policy delete_any on api.items is 'Any.';
      comment on policy delete_none on api.items is 'None.'`),
  ],
  [
    "a policy for anonymous requests whose condition is too deep to read",
    open(`create policy insert_own on api.items for insert to anonymous
        with check (length(request.user_id()::text${" || 'x'".repeat(4000)}) > 0);
      comment on policy insert_own on api.items is 'Own.'`),
  ],
  [
    "a function without EXECUTE in a policy of a table that is not granted",
    `${commented("items", "id int primary key")};
     create function request.is_late() returns boolean language sql stable set search_path = '' return true;
     comment on function request.is_late() is 'Whether it is late.';
     revoke execute on function request.is_late() from public;
     create policy select_late on api.items for select to authenticated using (request.is_late());
     comment on policy select_late on api.items is 'Late.'`,
  ],
  ["a setting that is no 503", body("raise sqlstate '53400';")],
  ["a key that begins with another column", "create unique index on api.tasks (title, user_id)"],
  [
    "a view with the caller's rights",
    `create view api.titles with (security_invoker = on) as select title from api.tasks;
     comment on view api.titles is 'Titles.';
     comment on column api.titles.title is 'A title.'`,
  ],
  [
    "a table without a policy for the role that may read it",
    `${commented("items", "id int")};
     comment on column api.items.id is 'The id.';
     grant select on api.items to authenticated`,
  ],
  [
    "a policy that hides no row",
    `${commented("items", "id int")};
     comment on column api.items.id is 'The id.';
     grant select on api.items to authenticated;
     create policy select_all on api.items for select to authenticated using (true);
     comment on policy select_all on api.items is 'All see it.'`,
  ],
  [
    "a policy that asks whether it may be planned",
    shared(
      `alter policy select_members on api.lists_members
       using (request.plannable() and request.is_member_of_lists(group_id))`,
    ),
  ],
  [
    "names and numbers that every client takes",
    commented("items", "a int, b2 real, _c smallint, select_ text, limits int[], user_not date"),
  ],
  [
    "a restrictive policy before or after a permissive one",
    `create policy select_open on api.tasks as restrictive for select to authenticated using (true);
     create policy select_short on api.tasks as restrictive for select to authenticated using (true);
     comment on policy select_open on api.tasks is 'Open.';
     comment on policy select_short on api.tasks is 'Short.'`,
  ],
])("%s is no finding", async (_, change) => {
  expect(await findingsAfter(change)).toEqual([]);
});

test("an API role with MAINTAIN is found where PostgreSQL knows it", async () => {
  const { rows } = await client.query(
    "select current_setting('server_version_num')::int as version",
  );
  const findings = await findingsAfter("grant all on api.tasks to anonymous");
  const known = ["REFERENCES", "TRIGGER", "TRUNCATE"];
  const wanted = rows[0].version >= 170_000 ? ["MAINTAIN", ...known] : known;
  expect(findings).toEqual(
    wanted.map((one) => `excess_grants | api.tasks: ${one} is granted to anonymous`),
  );
});

test("the migrated database has no findings", async () => {
  const url = await cloneDatabase();
  await withClient(url, async (migrated) => {
    await migrated.query("begin");
    // What belongs to the database itself is not cloned.
    await migrated.query(
      "do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$",
    );
    expect(await listFindings(migrated)).toEqual([]);
  });
});

test("what reads another database can write nothing, and refuses one without the API", async () => {
  await expect(
    inspect(await cloneDatabase(), (other) => other.query("create table api.mine (id int)")),
  ).rejects.toMatchObject({ code: "25006" });
  await expect(inspect(await emptyDatabase(), listFindings)).rejects.toMatchObject({
    code: "database_not_migrated",
  });
});

test("rowhouse lint prints its findings in another database, and exits with 1", async () => {
  const url = await cloneDatabase();
  const { code, stdout } = await rowhouse(["lint", "--against", url], { ROWHOUSE_HOME: newHome() });
  expect(code).toBe(1);
  expect(stdout).toBe(
    [
      "excess_grants (warning)",
      "  the database: TEMPORARY is granted to PUBLIC.",
      "  why: TRUNCATE and REFERENCES go past row-level security; TRIGGER, MAINTAIN, CREATE and TEMPORARY are no request's business.",
      "  do:  revoke ... from ...; what PUBLIC has by default is revoked in sql/database/privileges.sql.",
      "",
      `1 warning: ${readRules().length} rules checked.`,
      "",
    ].join("\n"),
  );
});

test("rowhouse lint prints notes, and exits with 0 where there is nothing else", async () => {
  const url = await cloneDatabase();
  await withClient(url, (owner) =>
    owner.query(`
      do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
      ${commented("items", "price numeric")}`),
  );
  const lintOf = (...args: string[]) =>
    rowhouse(["lint", "--against", url, ...args], { ROWHOUSE_HOME: newHome() });
  const { code, stdout } = await lintOf();
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^exact_numbers \(note\)\n {2}api\.items\.price: the type of the column is/,
  );
  expect(stdout).toMatch(/\n1 note: \d+ rules checked\.\n$/);
  expect(JSON.parse((await lintOf("--json")).stdout)).toMatchObject([
    { rule: "exact_numbers", level: "note", object: "api.items.price" },
  ]);
});

/** Two faults of a table, and a part of its comment. */
const doubtful = (comment: string) => `
  ${commented("items", "id bigint")};
  alter table api.items no force row level security;
  comment on table api.items is E'An item.\\n\\n${comment}'`;

describe("A waiver in a comment", () => {
  const isNotForced = "row_security_forced | api.items: its row-level security is not forced";
  const isBigint = "exact_numbers | api.items.id: the type of the column is bigint";
  const refused = (fault: string) => `refused_waivers | api.items: ${fault}`;

  test.each<[what: string, comment: string, ...findings: string[]]>([
    ["holds for its object and rule", "lint: allow row_security_forced: It is empty.", isBigint],
    [
      "is refused without a reason",
      "lint: allow row_security_forced: ",
      isBigint,
      isNotForced,
      refused("its comment waives row_security_forced without a reason"),
    ],
    [
      "is refused for a rule that there is not",
      "lint: allow row_securty: It is empty.",
      isBigint,
      isNotForced,
      refused("its comment waives row_securty, and there is no such rule"),
    ],
    [
      "is refused in another form",
      "Lint: ignore this.",
      isBigint,
      isNotForced,
      refused("a line of its comment begins with lint: and is no waiver"),
    ],
    [
      "is reported when it waives nothing",
      "lint: allow row_security: It is empty.\\nlint: allow row_security_forced: It is.",
      isBigint,
      "unused_settings | api.items: its comment waives row_security, which it does not break",
    ],
    [
      "stands on a line of its own",
      "Never lint: allow row_security_forced.",
      isBigint,
      isNotForced,
    ],
  ])("%s", async (_, comment, ...findings) => {
    expect(await findingsAfter(doubtful(comment))).toEqual(findings);
  });

  /** A policy whose function users may not execute: a finding on the function, and one on requests. */
  const lateTasks = (more: string) => `
    create function request.is_late() returns boolean language sql stable set search_path = '' return true;
    revoke execute on function request.is_late() from public;
    alter policy delete_own on api.tasks using (request.is_late());
    comment on function request.is_late() is 'Whether it is late.';
    ${more}`;

  test("of a cause leaves the error of the requests that fail by it", async () => {
    const change = lateTasks(
      "comment on function request.is_late() is E'Late.\\nlint: allow policy_functions: A test.'",
    );
    expect(await findingsAfter(change)).toEqual([
      "failing_requests | api.tasks: every delete by authenticated fails: 42501 permission denied for function is_late (in delete_own)",
    ]);
  });

  test("of requests that fail is used where their cause is reported in their place", async () => {
    const change = lateTasks(
      "comment on table api.tasks is E'A task.\\nlint: allow failing_requests: A test.'",
    );
    expect(await findingsAfter(change)).toEqual([
      "policy_functions | request.is_late(): authenticated may not execute the function, and policies of api.tasks call it",
    ]);
  });

  test("is found on columns, policies, functions, schemas and roles", async () => {
    const change = `
      ${commented("items", "id bigint")};
      comment on column api.items.id is E'The id.\\nlint: allow exact_numbers: They are few.';
      alter policy select_own on api.tasks to public;
      comment on policy select_own on api.tasks is E'Own.\\nlint: allow policy_to_public: A test.';
      grant execute on function api.me() to public;
      comment on function api.me() is E'Me.\\nlint: allow function_to_public: A test.';
      grant create on schema private to authenticator;
      comment on schema private is E'Ours.\\nlint: allow excess_grants: A test.';
      alter role authenticated createdb;
      comment on role authenticated is E'Users.\\nlint: allow role_powers: A test.'`;
    expect(await findingsAfter(change)).toEqual([]);
  });
});

describe("rowhouse lint of a database with an error, a warning and a note", () => {
  const database = doubtfulDatabase();
  const lintOf = async (...args: string[]) =>
    rowhouse(["lint", "--against", await database, ...args], { ROWHOUSE_HOME: newHome() });
  const rulesOf = (stdout: string) => JSON.parse(stdout).map(({ rule }: { rule: string }) => rule);
  const all = ["view_rights", "policy_to_public", "exact_numbers"];

  test.each([
    ["note", 1, all],
    ["warning", 1, all.slice(0, 2)],
    ["error", 1, all.slice(0, 1)],
  ])("--level %s leaves out what is less grave", async (level, code, rules) => {
    const outcome = await lintOf("--level", level, "--json");
    expect(outcome.code).toBe(code);
    expect(rulesOf(outcome.stdout)).toEqual(rules);
  });

  test("--json names the file and line of what is declared", async () => {
    const { stdout } = await lintOf("--rule", "policy_to_public", "--format", "json");
    const line = lineOf("policies/tasks.sql", "create policy delete_own");
    expect(JSON.parse(stdout)).toMatchObject([
      {
        object: "api.tasks.delete_own",
        findings: [expect.any(String)],
        file: "policies/tasks.sql",
        line,
      },
    ]);
  });

  test("--rule checks one, and refuses one that there is not", async () => {
    const { code, stdout } = await lintOf("--rule", "exact_numbers");
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n1 note: 1 rule checked\.\n$/);
    const wrong = await lintOf("--rule", "exact");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("no rule exact.") });
  });

  test("a baseline leaves what is new, and says what is gone", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "rowhouse-lint-")), "baseline.json");
    onTestFinished(() => rmSync(dirname(file), { recursive: true }));
    const missing = await lintOf("--baseline", file);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("[file_unusable]") });
    expect((await lintOf("--write-baseline")).stderr).toContain("--baseline <file>");
    expect(await lintOf("--baseline", file, "--write-baseline")).toMatchObject({ code: 0 });
    const none = await lintOf("--baseline", file);
    expect(none).toMatchObject({ code: 0, stderr: "" });
    expect(none.stdout).toMatch(/^No findings: /);
    const others = JSON.parse(readFileSync(file, "utf8")).slice(0, -1);
    const gone = { rule: "view_rights", object: "api.old", finding: "was wrong" };
    writeFileSync(file, JSON.stringify([...others, gone]));
    const fresh = await lintOf("--baseline", file, "--json");
    expect(fresh.code).toBe(1);
    expect(rulesOf(fresh.stdout)).toEqual(all.slice(0, 1));
    expect(fresh.stderr).toContain("lists 1 that are found no more");
    writeFileSync(file, '{"findings":[]}');
    expect((await lintOf("--baseline", file)).stderr).toContain("[file_unusable]");
  });

  test("--format sarif prints what SARIF 2.1.0 requires, with the file of what is declared", async () => {
    const { code, stdout } = await lintOf("--format", "sarif");
    expect(code).toBe(1);
    const { runs } = sarifSchema.parse(JSON.parse(stdout));
    const { results, tool } = runs[0];
    expect(results.map(({ ruleId, level }) => `${ruleId} ${level}`)).toEqual([
      "view_rights error",
      "policy_to_public warning",
      "exact_numbers note",
    ]);
    for (const { ruleId, ruleIndex } of results)
      expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(results.map(({ locations }) => locations[0].physicalLocation)).toEqual([
      undefined,
      {
        artifactLocation: { uri: "policies/tasks.sql", uriBaseId: "%SRCROOT%" },
        region: { startLine: lineOf("policies/tasks.sql", "create policy delete_own") },
      },
      undefined,
    ]);
  });
});

/** The line of a project's file that begins with a text, from 1. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(projectRoot, file), "utf8").split("\n");
  return lines.findIndex((line) => line.startsWith(text)) + 1;
}

/** What the schema of SARIF 2.1.0 requires of the parts that are written, and nothing beside these. */
const level = z.enum(["error", "warning", "note", "none"]);
const message = z.strictObject({ text: z.string().min(1) });
const location = z.strictObject({
  physicalLocation: z
    .strictObject({
      artifactLocation: z.strictObject({
        uri: z.string().regex(/^[^\s\\]+$/),
        uriBaseId: z.string(),
      }),
      region: z.strictObject({ startLine: z.int().min(1) }),
    })
    .optional(),
  logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string().min(1) })).min(1),
});
const rule = z.strictObject({
  id: z.string().min(1),
  shortDescription: message,
  help: message,
  defaultConfiguration: z.strictObject({ level }),
});
const result = z.strictObject({
  ruleId: z.string(),
  ruleIndex: z.int().min(0),
  level,
  message,
  locations: z.tuple([location]),
  partialFingerprints: z.record(z.string(), z.string()),
});
const sarifSchema = z.strictObject({
  $schema: z.url(),
  version: z.literal("2.1.0"),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string().min(1),
          version: z.string().regex(/^\d+\.\d+\.\d+/),
          rules: z.array(rule),
        }),
      }),
      results: z.array(result),
    }),
  ]),
});

/** One for all tests of the formats. */
async function doubtfulDatabase(): Promise<string> {
  const url = await migratedClone();
  await withClient(url, (owner) =>
    owner.query(`
      ${commented("items", "price numeric")};
      alter policy delete_own on api.tasks to public;
      create view api.titles as select title from api.tasks;
      comment on view api.titles is 'Titles.';
      comment on column api.titles.title is 'A title.'`),
  );
  return url;
}
