import { expect, test } from "vitest";
import { readRules, rehearse } from "../../src/access/rehearse/rehearse.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { ownedTable } from "../support/owned-table.ts";
import { people } from "../support/people.ts";
import { sharedTableSql } from "../support/shared-table.ts";

/** Rehearses SQL in a database that other SQL has prepared. */
async function runRehearsal(before: string, sql: string) {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query(`${people}; ${before}`));
  const declared = await withClient(url, async (client) => {
    await client.query(`begin; ${sql}`);
    return readRules(client);
  });
  return rehearse(url, declared, { as: [], users: 50, examples: 3, timeout: 30 });
}

/** Why the effect on what users may select of api.tasks is unknown, and whether one gains. */
async function rehearseSelect(before: string, sql: string) {
  const { changes, gains, unclear } = await runRehearsal(before, sql);
  const change = changes.find(
    ({ table, action, role }) =>
      table === "tasks" && action === "select" && role === "authenticated",
  );
  return { obstacle: change?.obstacle ?? null, gains, unclear };
}

const nothing = { obstacle: null, gains: false, unclear: false };

const setPolicy = (condition: string) =>
  `alter policy select_own on api.tasks using (${condition});`;

/** Also lets a condition decide, so that nobody loses a row. */
const addToPolicy = (condition: string) =>
  setPolicy(`user_id = request.user_id() or (${condition})`);

/** A function whose body is a string, which pg_depend does not look into. */
const asString = (body: string, how = "sql", name = "private.lets") =>
  `create or replace function ${name}() returns boolean language ${how} stable as $$ ${body} $$;
   grant execute on function ${name}() to public;`;

const usingString = (body: string, how?: string) =>
  `${asString(body, how)} ${setPolicy("private.lets()")}`;

const mark = `
  create type private.mark as (value text);
  create function private.to_mark(text) returns private.mark language sql
    as 'select row($1)::private.mark';
  create cast (text as private.mark) with function private.to_mark(text);`;

const otherMark = `create or replace function private.to_mark(text) returns private.mark language sql
  as $$ select row('x')::private.mark $$`;

const secret = `
  create table api.secret (id int);
  alter table api.secret enable row level security;
  grant select on api.secret to authenticated;`;

const openSecret = "create policy all_rows on api.secret using (true)";

/** Each changes something that a policy rests on: other rows pass under the same words. */
const cases: [what: string, before: string, sql: string, obstacle: RegExp][] = [
  [
    "what a generated column is computed from",
    `alter table api.tasks add column open boolean generated always as (false) stored;
     ${addToPolicy("open")}`,
    `${setPolicy("user_id = request.user_id()")}
     alter table api.tasks drop column open;
     alter table api.tasks add column open boolean generated always as (completed) stored;
     ${addToPolicy("open")}`,
    /api\.tasks \(open\) itself changes/,
  ],
  [
    "a function that a generated column is computed by",
    `create function private.opens(boolean) returns boolean language sql immutable as 'select false';
     alter table api.tasks add column open boolean generated always as (private.opens(completed)) stored;
     ${addToPolicy("open")}`,
    "create or replace function private.opens(boolean) returns boolean language sql immutable as 'select $1'",
    /private\.opens\(\) itself changes/,
  ],
  [
    "the order of an enum's labels",
    `create type private.level as enum ('a', 'b', 'c');
     alter table api.tasks add column level private.level default 'b';
     ${addToPolicy("level >= 'c'")}`,
    `${setPolicy("user_id = request.user_id()")}
     alter table api.tasks drop column level;
     drop type private.level;
     create type private.level as enum ('a', 'c', 'b');
     alter table api.tasks add column level private.level default 'b';
     ${addToPolicy("level >= 'c'")}`,
    /type private\.level itself changes/,
  ],
  [
    "a column's collation",
    `create collation private.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     alter table api.tasks add column owner text default 'BOB@example.com';
     ${addToPolicy("owner = request.email()")}`,
    `${setPolicy("user_id = request.user_id()")}
     alter table api.tasks alter column owner type text collate private.any_case;
     ${addToPolicy("owner = request.email()")}`,
    /api\.tasks \(owner\) itself changes/,
  ],
  [
    "a collation that a column has",
    `create collation private.any_case (provider = icu, locale = 'und');
     alter table api.tasks add column owner text collate private.any_case default 'BOB@example.com';
     ${addToPolicy("owner = request.email()")}`,
    `${setPolicy("user_id = request.user_id()")}
     alter table api.tasks drop column owner;
     drop collation private.any_case;
     create collation private.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     alter table api.tasks add column owner text collate private.any_case default 'BOB@example.com';
     ${addToPolicy("owner = request.email()")}`,
    /collation private\.any_case itself changes/,
  ],
  [
    "a dictionary of a text search configuration",
    `create text search dictionary private.words (template = pg_catalog.simple);
     create text search configuration private.search (copy = pg_catalog.simple);
     alter text search configuration private.search alter mapping for asciiword with private.words;
     ${addToPolicy("to_tsvector('private.search', 'running') @@ 'run'::tsquery")}`,
    `${setPolicy("user_id = request.user_id()")}
     drop text search configuration private.search;
     drop text search dictionary private.words;
     create text search dictionary private.words (template = pg_catalog.snowball, language = english);
     create text search configuration private.search (copy = pg_catalog.simple);
     alter text search configuration private.search alter mapping for asciiword with private.words;
     ${addToPolicy("to_tsvector('private.search', 'running') @@ 'run'::tsquery")}`,
    /text search dictionary private\.words itself changes/,
  ],
  [
    "an operator's function",
    `create function private.same(uuid, uuid) returns boolean language sql as 'select $1 = $2';
     create operator private.=== (function = private.same, leftarg = uuid, rightarg = uuid);
     ${setPolicy("user_id operator(private.===) request.user_id()")}`,
    "create or replace function private.same(uuid, uuid) returns boolean language sql as 'select true'",
    /private\.same\(\) itself changes/,
  ],
  [
    "the order of an operator class",
    `create type private.size as (n int);
     create function private.before(private.size, private.size) returns boolean language sql immutable
       as 'select ($1).n < ($2).n';
     create function private.compares(private.size, private.size) returns int language sql immutable
       as 'select ($1).n - ($2).n';
     create operator private.<<< (function = private.before, leftarg = private.size, rightarg = private.size);
     create operator class private.sizes for type private.size using btree
       as operator 1 private.<<<, function 1 private.compares(private.size, private.size);
     ${setPolicy("row(1)::private.size operator(private.<<<) row(2)::private.size")}`,
    `create or replace function private.compares(private.size, private.size) returns int
       language sql immutable as 'select 0'`,
    /private\.compares\(\) itself changes/,
  ],
  [
    "a cast's function",
    `${mark} ${setPolicy("(title::private.mark).value = 'x'")}`,
    otherMark,
    /private\.to_mark\(\) itself changes/,
  ],
  [
    "the function of a cast within a string",
    `${mark} ${usingString("select ('a'::text::private.mark).value = 'x'")}`,
    otherMark,
    /private\.to_mark\(\) itself changes/,
  ],
  [
    "an aggregate's function",
    `create function private.step(boolean, boolean) returns boolean language sql as 'select $1 and $2';
     create aggregate private.all_of(boolean) (sfunc = private.step, stype = boolean, initcond = 'true');
     ${setPolicy("(select private.all_of(x) from (values (false)) as v (x))")}`,
    "create or replace function private.step(boolean, boolean) returns boolean language sql as 'select true'",
    /private\.step\(\) itself changes/,
  ],
  [
    "a domain's check",
    `create function private.fits(text) returns boolean language sql immutable as 'select true';
     create domain private.fit as text check (private.fits(value));
     ${setPolicy("title::private.fit is not null")}`,
    "create or replace function private.fits(text) returns boolean language sql immutable as 'select false'",
    /private\.fits\(\) itself changes/,
  ],
  [
    "a table that a string reads",
    `${secret} ${usingString("select not exists (table api.secret)")}`,
    openSecret,
    /api\.secret itself changes/,
  ],
  [
    "a table that PL/pgSQL reads",
    `${secret} ${usingString("declare n int; begin n := (select count(*) from api.secret); return n > 0; end", "plpgsql")}`,
    openSecret,
    /api\.secret itself changes/,
  ],
  [
    "what PL/pgSQL may read in statements that it makes up",
    usingString("declare r boolean; begin execute 'select true' into r; return r; end", "plpgsql"),
    "alter policy select_own on api.users using (true)",
    /makes up statements as it runs.*api\.users itself changes/,
  ],
  [
    "a function that a function calls",
    `${asString("select false", "sql", "private.deep")} ${usingString("select private.deep()")}`,
    asString("select true", "sql", "private.deep"),
    /private\.deep\(\) itself changes/,
  ],
  [
    "a view in between",
    `create view private.mine as select id from api.tasks where false;
     grant select on private.mine to authenticated;
     ${setPolicy("id in (select id from private.mine)")}`,
    "create or replace view private.mine as select id from api.tasks",
    /private\.mine itself changes/,
  ],
  [
    "the grant of a column",
    `create table private.keys (id int, open boolean);
     grant select (id) on private.keys to authenticated;
     ${setPolicy("exists (select from private.keys where open)")}`,
    "grant select (open) on private.keys to authenticated",
    /private\.keys \(open\) itself changes/,
  ],
  [
    "a setting of the API's role",
    setPolicy("current_setting('app.open', true) = 'yes'"),
    "alter role authenticated set app.open = 'yes'",
    /the setting app\.open itself changes/,
  ],
  [
    "a setting of the database that a string reads",
    usingString("select current_setting('App.Open'::text, true) = 'yes'"),
    `do $$ begin
       execute format('alter database %I set app.open = %L', current_database(), 'yes');
     end $$`,
    /the setting app\.open itself changes/,
  ],
  [
    "the search path by which a string is read",
    `set local check_function_bodies = off; ${usingString("select exists (select from tasks)")}`,
    "alter role authenticated set search_path = private",
    /the setting search_path itself changes/,
  ],
  [
    "a function's own search path",
    `set local check_function_bodies = off; ${usingString("select exists (select from tasks)")}`,
    "alter function private.lets() set search_path = private",
    /private\.lets\(\) itself changes/,
  ],
  [
    "a privilege that a condition asks for",
    `${secret} revoke all on api.secret from authenticated;
     ${setPolicy("has_table_privilege('api.secret', 'select')")}`,
    "grant select on api.secret to authenticated",
    /what the roles of the API may do itself changes/,
  ],
  [
    "a membership that a condition asks for",
    setPolicy("pg_has_role('anonymous', 'member')"),
    "grant anonymous to authenticated",
    /what the roles of the API may do itself changes/,
  ],
];

test.each(cases)("the effect is unknown when %s changes", async (_, before, sql, obstacle) => {
  expect(await rehearseSelect(before, "")).toEqual(nothing);
  expect(await rehearseSelect(before, sql)).toMatchObject({
    obstacle: expect.stringMatching(obstacle),
    unclear: true,
  });
});

test.each([
  ["session_user <> 'postgres'", /session_user/],
  ["current_setting('request.headers', true)::json ->> 'x-key' = 'k'", /request\.headers/],
  ["current_setting('app.' || title, true) = 'yes'", /current_setting\(\)/],
  ["current_setting('app.open', true) = 'yes'", /app\.open/],
  ["random() > 0.5", /random\(\)/],
  ["inet_client_addr() is null", /inet_client_addr\(\)/],
  ["exists (select from pg_catalog.pg_roles where rolname = title)", /pg_roles/],
  ["title::regclass is not null", /regclass/],
])("whether %s lets a row pass is unknown", async (condition, obstacle) => {
  expect(await rehearseSelect("", addToPolicy(condition))).toMatchObject({
    obstacle: expect.stringMatching(obstacle),
    unclear: true,
  });
});

test.each([
  ["getpgusername() = 'authenticated'", true],
  ["getpgusername() = 'postgres'", false],
  ["current_role = 'authenticated'", true],
  ["current_setting('is_superuser') = 'off'", true],
  ["current_setting('role') = 'authenticated'", true],
  ["has_table_privilege('api.tasks', 'select')", false],
  ["has_table_privilege('api.tasks', 'truncate')", false],
  ["has_column_privilege('api.tasks', 'title', 'update')", true],
])("%s is asked as the caller, not as the owner of the database", async (condition, gains) => {
  expect(await rehearseSelect("", addToPolicy(condition))).toEqual({ ...nothing, gains });
});

test("the effect of a function that may not be called is unknown", async () => {
  const before = `${asString("select true")} revoke execute on function private.lets() from public;`;
  expect(await rehearseSelect(before, setPolicy("private.lets()"))).toMatchObject({
    obstacle: expect.stringMatching(/permission denied/),
    unclear: true,
  });
});

test("what has nothing to do with a condition leaves its effect known", async () => {
  const before = addToPolicy("exists (select from api.users where id = user_id and false)");
  const others = `
    create function private.step() returns trigger language plpgsql as 'begin return new; end';
    create trigger step before insert on api.tasks for each row execute function private.step();
    alter role authenticated set statement_timeout = '3s';
    create table api.notes (id int);
    grant select on api.notes to authenticated;
    alter table api.users add column nickname text;
    grant select (nickname) on api.users to authenticated;
    create function private.other() returns int language sql as 'select 1';`;
  expect(await rehearseSelect(before, others)).toEqual(nothing);
});

test("policies as Supabase has them are judged", async () => {
  const before = `
    create schema auth;
    grant usage on schema auth to public;
    create function auth.uid() returns uuid language sql stable as $$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
      )::uuid
    $$;
    create function auth.jwt() returns jsonb language sql stable as $$
      select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
      )::jsonb
    $$;
    grant execute on all functions in schema auth to public;
    ${setPolicy("(select auth.uid()) = user_id")}`;
  const sql = setPolicy(
    "auth.uid() = user_id or auth.jwt() ->> 'email' = 'alice@example.com' and now()::date > '2020-01-01'",
  );
  expect(await rehearseSelect(before, sql)).toEqual({ ...nothing, gains: true });
});

test("the policies of owned and shared tables, as `db table` writes them, are judged", async () => {
  const before = `${ownedTable("notes")} ${sharedTableSql("boards")}`;
  const open = `do $$ declare one record; begin
    for one in
      select polname, polrelid::regclass as table
      from pg_policy
      where polrelid in ('api.notes'::regclass, 'api.boards'::regclass, 'api.tasks'::regclass)
      and polcmd = 'r'
    loop
      execute format('alter policy %I on %s using (true)', one.polname, one.table);
    end loop;
  end $$`;
  expect(await runRehearsal(before, "")).toMatchObject({ changes: [], unclear: false });
  const { changes } = await runRehearsal(before, open);
  expect(changes.map(({ table, action, obstacle }) => [table, action, obstacle])).toEqual(
    ["boards", "notes", "tasks"].map((table) => [table, "select", null]),
  );
});

test("a default that a condition of inserts reads is looked at, for inserts alone", async () => {
  const before = `alter table api.tasks add column open boolean default false;
    create policy insert_open on api.tasks for insert to authenticated with check (open);`;
  const sql = "alter table api.tasks alter column open set default true;";
  const { changes, unclear } = await runRehearsal(before, sql);
  expect(unclear).toBe(true);
  expect(changes).toEqual([
    expect.objectContaining({
      action: "insert",
      obstacle: expect.stringContaining("the default of api.tasks (open) itself changes"),
    }),
  ]);
});

test("so is a function behind a default", async () => {
  const before = `${asString("select false")}
    alter table api.tasks add column open boolean default private.lets();
    create policy insert_open on api.tasks for insert to authenticated with check (open);`;
  const { changes } = await runRehearsal(before, asString("select true"));
  expect(changes).toEqual([
    expect.objectContaining({
      action: "insert",
      obstacle: expect.stringContaining("private.lets() itself changes"),
    }),
  ]);
});

const keepers = `
  create schema guard;
  grant usage on schema guard to public;
  create function guard.token() returns json language sql stable
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::json $$;
  create function guard.me() returns text language plpgsql stable
    as $$ declare token json := guard.token(); begin return token ->> 'keeper_id'; end $$;
  grant execute on all functions in schema guard to public;
  alter table api.tasks add column keeper text default 'K1', add column data jsonb;`;

test.each([
  [
    "in the condition",
    "current_setting('request.jwt.claims', true)::json ->> 'keeper_id' = keeper",
  ],
  ["in a setting of its own", "current_setting('request.jwt.claim.keeper_id', true) = keeper"],
  ["by a function that gives them all", "(select guard.token()) ->> 'keeper_id' = keeper"],
  ["of a variable", "guard.me() = keeper"],
  ["within another claim", "guard.token() -> 'keeper_id' ->> 'no' = keeper"],
  ["by a path", "guard.token() #>> '{keeper_id,no}' = keeper"],
])("the effect is unknown where a claim is read %s that no checked token has", async (_, reads) => {
  expect(await rehearseSelect(keepers, addToPolicy(reads))).toEqual({
    obstacle: "it reads the claim keeper_id, which no checked token has",
    gains: false,
    unclear: true,
  });
});

test("a claim whose name is computed is unknown, and a gain is one whatever the claims are", async () => {
  const reads = "guard.token() ->> title = keeper";
  expect(await rehearseSelect(keepers, addToPolicy(reads))).toMatchObject({
    obstacle: "it reads a claim whose name is computed, which no checked token has",
  });
  expect(await rehearseSelect(keepers, addToPolicy(`${reads} or title <> ''`))).toMatchObject({
    obstacle: null,
    gains: true,
  });
});

test("what tokens have, and other JSON of the row, are no missing claims", async () => {
  const reads = "guard.token() ->> 'email' = keeper and data ->> 'keeper_id' = 'x'";
  expect(await rehearseSelect(keepers, addToPolicy(reads))).toEqual(nothing);
});

test("the type of an extension leaves the effect known, and a function of it that is asked does not", async () => {
  const before = `create extension citext schema public; create extension pg_trgm schema public;
    grant execute on all functions in schema public to public;
    alter table api.tasks add column email public.citext;`;
  expect(await rehearseSelect(before, addToPolicy("email = 'a@example.com'"))).toEqual(nothing);
  const asked = addToPolicy("public.show_limit() > 2");
  expect((await rehearseSelect(before, asked)).obstacle).toBe(
    "public.show_limit() is written in c",
  );
});
