import { beforeAll, describe, expect, test } from "vitest";
import {
  type CatalogEntry,
  compareCatalogs,
  readCatalog,
  readCatalogOn,
} from "../../src/schema/catalog/catalog.ts";
import { findUncovered } from "../../src/schema/catalog/coverage.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate, rollback } from "../../src/stack/dbmate.ts";
import { cloneDatabase, emptyDatabase } from "../../src/testing/database.ts";
import { migrationFiles } from "../support/project.ts";

const equal = { missing: [], surplus: [] };

test("the server runs the catalog's queries without compiling them, which takes seconds", async () => {
  const url = await emptyDatabase();
  const { rows } = await withClient(url, (client) => client.query("show jit"));
  expect(rows).toEqual([{ jit: "off" }]);
});

describe("the migrations", () => {
  let url: string;
  let migrated: CatalogEntry[];

  beforeAll(async () => {
    url = await emptyDatabase();
    await migrate(url);
    migrated = await readCatalog(url);
  });

  test("build what sql/ and policies/ declare", async () => {
    const declared = await emptyDatabase();
    await buildDeclared(declared);
    expect(compareCatalogs(await readCatalog(declared), migrated)).toEqual(equal);
  });

  test("leave nothing behind all the way down, and build the same again", async () => {
    const fresh = await readCatalog(await emptyDatabase());
    expect(await rollback(url, Number.POSITIVE_INFINITY)).toHaveLength(migrationFiles.length);
    expect(compareCatalogs(fresh, await readCatalog(url))).toEqual(equal);
    await migrate(url);
    expect(compareCatalogs(migrated, await readCatalog(url))).toEqual(equal);
  });

  test("step down and up one at a time, with the same catalog at each step", async () => {
    const steps = [await readCatalog(url)];
    for (const _ of migrationFiles) {
      await rollback(url, 1);
      steps.push(await readCatalog(url));
    }
    const sizes = steps.map((catalog) => catalog.length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(new Set(steps.map((catalog) => JSON.stringify(catalog))).size).toBe(steps.length);
    await migrate(url);
    expect(compareCatalogs(migrated, await readCatalog(url))).toEqual(equal);
  });

  test("revoke from PUBLIC the right to create temporary tables", async () => {
    const grants = migrated.filter(({ name }) => name === "database to public");
    expect(grants.map(({ definition }) => definition)).toEqual(["connect"]);
  });

  test("find nothing to do when all are applied", async () => {
    expect(await migrate(url)).toEqual([]);
  });
});

test("every column of every system catalog is compared, or left out for a reason", async () => {
  const { rows } = await withClient(await emptyDatabase(), (client) =>
    client.query<{ name: string }>(`
      select format('%s.%s', relname, attname) as name
      from pg_catalog.pg_class
      join pg_catalog.pg_attribute on attrelid = pg_class.oid
      where relnamespace = 'pg_catalog'::regnamespace
      and relkind = 'r'
      and attnum > 0
      and not attisdropped
    `),
  );
  expect(rows.length).toBeGreaterThan(400);
  expect(findUncovered(rows.map(({ name }) => name))).toEqual([]);
  expect(findUncovered(["pg_new.oid", "pg_class.relnew", "pg_class.relname"])).toEqual([
    "pg_new.oid",
    "pg_class.relnew",
  ]);
});

describe("the comparison of catalogs", () => {
  let url: string;
  let before: CatalogEntry[];

  beforeAll(async () => {
    url = await cloneDatabase();
    await withClient(url, (client) =>
      client.query(`
        create domain public.short as text;
        create type public.pair as (a int, b int);
        create sequence public.numbers;
        create table public.part (id int) partition by range (id);
        create table public.part_1 partition of public.part for values from (1) to (2);
        alter default privileges grant select on tables to authenticated;
        create function public.add(int, int) returns int language sql immutable as 'select $1 + $2';
        create function public.watch() returns event_trigger language plpgsql as 'begin end';
        create function public.to_int(public.pair) returns int language sql immutable as 'select 1';
        create publication tidings for table api.users;
        create foreign data wrapper elsewhere;
        create server there foreign data wrapper elsewhere;
        create foreign table public.far (a int) server there;
        create table public.twin (a int, b int);
        create extension citext schema public;
        create text search configuration public.words (copy = pg_catalog.simple);
        create aggregate public.total (int) (sfunc = public.add, stype = int, initcond = '0');
        create function public.same(int, int) returns bool language sql immutable as 'select $1 = $2';
        create operator public.=== (function = public.same, leftarg = int, rightarg = int);
        create operator public.### (function = public.add, leftarg = int, rightarg = int);
        create operator family public.ours using btree;
        create index part_a on public.part ((id + 1));
      `),
    );
    before = await readCatalog(url);
  });

  test("finds nothing where nothing was changed", async () => {
    expect(compareCatalogs(before, await readCatalog(url))).toEqual(equal);
  });

  test.each([
    "alter table api.tasks disable row level security",
    "alter table api.tasks no force row level security",
    "drop policy select_own on api.tasks",
    "alter policy select_own on api.tasks using (true)",
    "alter policy insert_own on api.tasks with check (true)",
    "alter policy select_own on api.tasks to public",
    "grant select on api.tasks to anonymous",
    "grant update (created_at) on api.tasks to authenticated",
    "revoke insert (title) on api.tasks from authenticated",
    "grant usage on schema private to authenticated",
    "grant execute on function api.me() to public",
    "alter function request.user_id() security definer",
    "alter function request.check() reset search_path",
    "alter table api.tasks drop constraint tasks_title_length",
    "alter table api.tasks alter column title drop not null",
    "alter table api.tasks alter column description drop default",
    "alter table api.tasks alter column title type varchar(200)",
    "alter table api.tasks add column extra text",
    "alter table api.tasks disable trigger step_updated_at",
    "create index extra on api.tasks (title)",
    "comment on column api.tasks.title is 'Something else'",
    "alter default privileges grant execute on functions to public",
    "alter default privileges in schema api grant select on tables to anonymous",
    "create view api.everything as select * from api.tasks",
    "create type api.state as enum ('open', 'done')",
    "create sequence api.numbers",
    "create schema extra",
    "create rule nothing as on delete to api.tasks do instead nothing",
    "create statistics api.together on title, completed from api.tasks",
    "update pg_trigger set tgenabled = 'D' where tgisinternal and tgrelid = 'api.tasks'::regclass",
    "update pg_index set indisvalid = false where indexrelid = 'api.users_email'::regclass",
    "alter default privileges grant select on tables to authenticated with grant option",
    "alter domain public.short set not null",
    "alter sequence public.numbers increment by 2",
    "alter table public.part detach partition public.part_1",
    "alter table api.tasks owner to authenticated",
    "create view api.seen as select 1 as a; alter view api.seen owner to authenticated",
    "alter function api.me() owner to anonymous",
    "alter schema private owner to authenticated",
    "alter role anonymous set statement_timeout = '6s'",
    "alter role authenticated bypassrls",
    "grant pg_monitor to authenticated",
    // What was silently outside once.
    "grant create on schema public to anonymous",
    "revoke usage on schema public from public",
    "comment on schema public is 'Ours'",
    "grant execute on function pg_catalog.pg_read_file(text) to authenticated",
    "revoke execute on function pg_catalog.pg_sleep(float8) from public",
    "revoke select on pg_catalog.pg_class from public",
    "grant select (rolpassword) on pg_catalog.pg_authid to anonymous",
    "revoke usage on language plpgsql from public",
    "grant set on parameter log_statement to authenticated",
    "grant usage on foreign server there to authenticated",
    "alter table api.tasks set unlogged",
    "alter sequence public.numbers set unlogged",
    "alter sequence public.numbers cache 9",
    "alter sequence public.numbers owned by public.part.id",
    "alter table api.tasks replica identity full",
    "alter table api.tasks replica identity nothing",
    "alter table api.users replica identity using index users_pkey",
    "alter table api.tasks cluster on tasks_pkey",
    "alter table api.tasks alter column title set storage external",
    "alter table api.tasks alter column title set compression pglz",
    "alter table api.tasks alter column title set (n_distinct = 5)",
    "alter table api.tasks set (toast.autovacuum_enabled = off)",
    "alter table api.tasks alter column title set not null, alter column title set (n_distinct = -1)",
    "alter table public.twin of public.pair",
    "alter role authenticated in database :database set statement_timeout = 0",
    "alter database :database set row_security = off",
    "alter role authenticated valid until '2099-01-01'",
    "comment on role authenticated is 'Ours'",
    "grant authenticated to authenticator with admin option",
    "create event trigger observer on ddl_command_end execute function public.watch()",
    "create publication everything for all tables",
    "create publication several for tables in schema api",
    "alter publication tidings add table api.tasks",
    "alter publication tidings set table api.users (id)",
    "alter publication tidings set table api.users where (email = 'a')",
    "alter publication tidings set (publish = 'insert')",
    "create cast (public.pair as int) with function public.to_int(public.pair) as implicit",
    "create operator public.## (function = public.add, leftarg = int, rightarg = int)",
    "alter operator public.=== (int, int) set (restrict = eqsel)",
    "create operator class public.other for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int)",
    "alter operator family public.ours using btree add operator 1 < (int, int)",
    "create or replace aggregate public.total (int) (sfunc = public.add, stype = int, initcond = '5')",
    "create or replace aggregate public.total (int) (sfunc = public.add, stype = int, initcond = '0', parallel = safe)",
    "create collation public.german (provider = icu, locale = 'de')",
    "create conversion public.conversion for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
    "create language other handler plpgsql_call_handler",
    "create access method other type table handler heap_tableam_handler",
    "create type public.shell",
    "create foreign data wrapper another",
    "alter server there options (host 'somewhere')",
    "alter foreign table public.far options (add place 'a')",
    "create text search dictionary public.stems (template = snowball, language = 'german')",
    "alter text search configuration public.words drop mapping for word",
    "create transform for int language sql (from sql with function pg_catalog.varchar_support(internal))",
    "alter function public.add(int, int) depends on extension plpgsql",
    "alter extension citext set schema api",
    "alter index public.part_a alter column 1 set statistics 500",
  ])("notices: %s", async (change) => {
    const changed = await withClient(url, async (client) => {
      await client.query("begin");
      const { rows } = await client.query("select quote_ident(current_database()) as name");
      await client.query(change.replace(":database", rows[0].name));
      const catalog = await readCatalogOn(client);
      await client.query("rollback");
      return catalog;
    });
    expect(compareCatalogs(before, changed)).not.toEqual(equal);
  });
});
