import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { TableInfo } from "../../src/schema/types/table-info.ts";
import { generateTypes } from "../../src/schema/types.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, migratedClone } from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { copyProject, editFile, projectRoot } from "../support/project.ts";

const committed = join(projectRoot, "client/database.types.ts");

test("the client's committed types are those of the database", async () => {
  expect(await generateTypes(await cloneDatabase())).toBe(readFileSync(committed, "utf8"));
});

/** What the generated file exports as `tables`. */
async function readTables(url: string): Promise<Record<string, TableInfo>> {
  const [, literal = ""] =
    /^export const tables = (\{.*\}) as const;$/ms.exec(await generateTypes(url)) ?? [];
  return runInNewContext(`(${literal})`);
}

test("a table is owned when its key is (owner, id) and the owner references the users", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create table api.notes (user_id uuid references api.users, id uuid, primary key (user_id, id));
      create table api.bills (
        "the owner" uuid, id uuid, payer uuid references api.users,
        foreign key ("the owner") references api.users, primary key ("the owner", id)
      );
      create table api.settings (user_id uuid primary key references api.users);
      create table api.swapped (id uuid, user_id uuid references api.users, primary key (id, user_id));
      create table api.members (user_id uuid references api.users, team uuid, primary key (user_id, team));
      create table api.unreferenced (user_id uuid, id uuid, primary key (user_id, id));
      create table api.keyless (user_id uuid references api.users, id uuid);
    `),
  );
  expect(await readTables(url)).toMatchObject({
    bills: { key: ["the owner", "id"], owner: "the owner" },
    keyless: { key: [], owner: null },
    members: { key: ["user_id", "team"], owner: null },
    notes: { key: ["user_id", "id"], owner: "user_id" },
    settings: { key: ["user_id"], owner: null },
    swapped: { key: ["id", "user_id"], owner: null },
    tasks: { key: ["user_id", "id"], owner: "user_id" },
    unreferenced: { owner: null },
    users: { key: ["id"], owner: null, nullable: ["email", "name"] },
  });
});

test("the types name the columns that may be null, and what each holds", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create extension citext schema public;
      create extension hstore schema public;
      create domain api.amount as numeric(12, 2) not null;
      create domain api.price as api.amount;
      create domain api.prices as api.price[];
      create domain api.name as text;
      create type api.mood as enum ('good', 'bad');
      create domain api.temper as api.mood;
      create type api.pair as (a int, b int);
      create table api.items (
        id bigint primary key, price api.price, paid api.amount, weights numeric[], dropped bigint,
        count int not null, ratio double precision, total bigint generated always as (count * 2) stored,
        prices api.prices, each_price api.price[], grid bigint[][]
      );
      alter table api.items drop column dropped;
      create table api.kinds (
        a text, b varchar(3), c char(3), d name, e public.citext, f api.name,
        g smallint, h real, i boolean, j jsonb, k json,
        l uuid, m date, n timestamptz, o time, p interval, q api.mood, r api.temper, s bytea, t inet,
        u money, v int4range, w int4multirange, x tsvector, y point, z xml, aa api.pair,
        bb public.hstore, cc int2vector, dd oid,
        a1 text[], g1 int[], i1 boolean[], j1 jsonb[], l1 uuid[], q1 api.mood[], v1 int4range[],
        x1 tsvector[], y1 point[], f1 api.name[]
      );
    `),
  );
  const { items, kinds } = await readTables(url);
  expect(items).toEqual({
    key: ["id"],
    owner: null,
    newId: null,
    columns: {
      id: "exact",
      price: "exact",
      paid: "exact",
      weights: "exact[]",
      count: "number",
      ratio: "number",
      total: "exact",
      prices: "exact[]",
      each_price: "exact[]",
      grid: "exact[]",
    },
    nullable: ["price", "weights", "ratio", "total", "prices", "each_price", "grid"],
    references: {},
  });
  expect(kinds?.columns).toEqual({
    ...{ a: "text", b: "text", c: "text", d: "text", e: "text", f: "text", f1: "text[]" },
    ...{ g: "number", h: "number", i: "boolean", j: "json", k: "opaque" },
    ...{ l: "ordered", m: "ordered", n: "ordered", o: "ordered", p: "ordered", q: "ordered" },
    ...{ r: "ordered", s: "ordered", t: "ordered", u: "ordered", dd: "ordered" },
    ...{ v: "range", w: "range", x: "search" },
    ...{ y: "opaque", z: "opaque", aa: "opaque", bb: "opaque", cc: "opaque" },
    ...{ a1: "text[]", g1: "number[]", i1: "boolean[]", j1: "json[]", l1: "ordered[]" },
    ...{ q1: "ordered[]", v1: "range[]", x1: "search[]", y1: "opaque[]" },
  });
});

test("a database without users has no owned table", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query("drop table api.users cascade"));
  const { tasks, ...others } = await readTables(url);
  expect(tasks).toMatchObject({ key: ["user_id", "id"], owner: null, references: {} });
  expect(others).toEqual({});
});

test("a table without a primary key is keyed by its shortest unique key without nulls", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create table api.named (a int not null, b int not null, c int not null, unique (b, a), unique (c));
      create table api.twice (a int not null, b int not null);
      create unique index z on api.twice (a);
      create unique index y on api.twice (b) include (a);
      create table api.nulls (a int unique, b int not null, unique (a, b));
      create table api.part (a int not null);
      create unique index on api.part (a) where a > 0;
      create table api.computed (a int not null);
      create unique index on api.computed ((a + 1));
      create table api.later (a int not null unique deferrable);
      create table api.parent (a int primary key);
      create table api.child () inherits (api.parent);
      create table api.parted (a int primary key) partition by range (a);
      create table api.parted_1 partition of api.parted for values from (1) to (2);
    `),
  );
  const tables = await readTables(url);
  expect(Object.fromEntries(Object.entries(tables).map(([name, { key }]) => [name, key]))).toEqual({
    child: [],
    computed: [],
    later: [],
    named: ["c"],
    nulls: [],
    parent: [],
    part: [],
    parted: ["a"],
    tasks: ["user_id", "id"],
    twice: ["b"],
    users: ["id"],
  });
});

test("the client makes the one uuid of a key that a role may insert and that refers to no row", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create domain api.uid as uuid;
      create table api.granted (id uuid primary key);
      create table api.by_column (id api.uid primary key, title text);
      create table api.to_public (id uuid primary key);
      create table api.withheld (id uuid primary key, title text);
      create table api.selected (id uuid primary key);
      create table api.numbered (id bigint primary key);
      create table api.generated (id uuid generated always as (md5('x')::uuid) stored primary key);
      create table api.settings (user_id uuid primary key references api.users);
      create table api.pairs (a uuid, b uuid, primary key (a, b));
      create table api.lines (task uuid references api.granted, id uuid, primary key (task, id));
      create table api.not_key (id bigint primary key, ref uuid);
      grant insert on api.granted, api.numbered, api.generated, api.settings, api.pairs, api.lines,
        api.not_key to authenticated;
      grant insert on api.to_public to public;
      grant insert (id) on api.by_column to authenticated;
      grant insert (title), select, update on api.withheld to authenticated;
      grant select on api.selected to authenticated;
      create view api.shown as select id, title from api.by_column;
      grant insert on api.shown to authenticated;
      create view api.unwritten as select id, title from api.by_column;
    `),
  );
  const tables = await readTables(url);
  expect(
    Object.fromEntries(Object.entries(tables).map(([name, one]) => [name, one.newId])),
  ).toEqual({
    by_column: "id",
    generated: null,
    granted: "id",
    lines: "id",
    not_key: null,
    numbered: null,
    pairs: null,
    selected: null,
    settings: null,
    shown: "id",
    tasks: "id",
    to_public: "id",
    unwritten: null,
    users: null,
    withheld: null,
  });
});

test("a simple view has the key, owner and foreign keys of the table that it shows", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create view api.titles as
        select t.title as name, t.id as "the id", t.user_id as owner, t.id as again, upper(title)
        from api.tasks as t
        where exists (select u.id, u.name from api.users as u where u.id = t.user_id);
      create view api.short as select owner, name, "the id" from api.titles where length(name) < 9;
      create view api.mine as select id, title from api.tasks where user_id = request.user_id();
      create view api.latest as select * from api.tasks order by created_at limit 5;
      create view api.with_users as
        select t.user_id, t.id, u.id as uid from api.tasks as t left join api.users as u on u.id = t.user_id;
      create view api.authors as select distinct user_id from api.tasks;
      create view api.cast_key as select user_id, id::text as id from api.tasks;
      create view api.computed_key as select user_id, (select t.id) as id from api.tasks as t;
      create domain api.label as text not null;
      create table api.labels (label api.label, n int);
      create view api.outer_domain as
        select l.label, l.n from api.tasks as t left join api.labels as l on l.n = length(t.title);
      create view api.of_latest as select user_id, id from api.latest;
      create view api.doubled as
        select t.user_id, t.id from api.tasks as t join api.users as u on u.id <> t.user_id;
      create rule i as on insert to api.doubled do instead nothing;
      create rule u as on update to api.doubled do instead nothing;
      create rule d as on delete to api.doubled do instead nothing;
      create view api.braces as select t.id as "}){ :resno 9", t.user_id as "({QUERY" from api.tasks as t;
      create view api.accounts as select email, id from api.users;
    `),
  );
  const tables = await readTables(url);
  const references = { tasks_user_id_fkey: "users" };
  expect(tables).toMatchObject({
    titles: { key: ["owner", "the id"], owner: "owner", nullable: ["upper"], references },
    short: { key: ["owner", "the id"], owner: "owner", nullable: [], references },
    mine: { key: [], owner: null, nullable: [], references: {} },
    braces: { key: ["({QUERY", "}){ :resno 9"], owner: "({QUERY" },
    accounts: { key: ["id"], owner: null, newId: null, nullable: ["email"], references: {} },
    cast_key: { key: [], owner: "user_id", nullable: ["id"], references },
    computed_key: { key: [], owner: "user_id", nullable: ["id"] },
    outer_domain: { nullable: ["label", "n"] },
  });
  for (const name of ["latest", "of_latest", "with_users", "authors", "doubled"]) {
    const { key, owner, references: fkeys } = tables[name] as TableInfo;
    expect({ key, owner, fkeys }, name).toEqual({ key: [], owner: null, fkeys: {} });
  }
  expect(tables.with_users?.nullable).toEqual(["user_id", "id", "uid"]);
});

test("a materialized view is keyed by a unique index, and a foreign table has no key", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create materialized view api.totals as select user_id, count(*) from api.tasks group by user_id;
      create unique index on api.totals (user_id);
      create materialized view api.unkeyed as select 1 as n;
      create unique index on api.unkeyed (n) where n > 0;
      create extension postgres_fdw schema public;
      create server nowhere foreign data wrapper postgres_fdw;
      create foreign table api.far (id int not null, n numeric) server nowhere;
    `),
  );
  expect(await readTables(url)).toMatchObject({
    totals: {
      key: ["user_id"],
      columns: { user_id: "ordered", count: "exact" },
      nullable: ["user_id", "count"],
    },
    unkeyed: { key: [] },
    far: { key: [], columns: { id: "number", n: "exact" }, nullable: ["n"] },
  });
});

test("foreign keys are named with the exposed table that they point at", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create table private.hidden (id uuid primary key);
      create table api.moves (
        id uuid primary key, giver uuid references api.users, taker uuid,
        constraint "the taker" foreign key (taker) references api.users,
        user_id uuid, task uuid, foreign key (user_id, task) references api.tasks,
        hidden uuid references private.hidden
      );
    `),
  );
  expect((await readTables(url)).moves?.references).toEqual({
    moves_giver_fkey: "users",
    moves_user_id_task_fkey: "tasks",
    "the taker": "users",
  });
});

test("every legal name of a table or column is a property of its own", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(
      `create table api."__proto__" ("__proto__" int, "a.b" text, "say ""hi""" bigint primary key, "1" int)`,
    ),
  );
  const tables = await readTables(url);
  expect(Object.keys(tables)).toContain("__proto__");
  expect(
    Object.entries(Object.getOwnPropertyDescriptor(tables, "__proto__")?.value.columns),
  ).toEqual([
    ["1", "number"],
    ["__proto__", "number"],
    ["a.b", "text"],
    ['say "hi"', "exact"],
  ]);
});

test("rowhouse types writes the file, and --check finds a stale one", async () => {
  const env = { DATABASE_URL: await migratedClone(), ROWHOUSE_HOME: newHome() };
  const file = join(dirname(env.ROWHOUSE_HOME), "types.ts");
  const types = (...args: string[]) => rowhouse(["types", "--output", file, ...args], env);

  expect(await types("--check")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("[types_stale]"),
  });
  expect((await types()).stdout).toMatch(/^wrote /);
  expect(readFileSync(file, "utf8")).toBe(readFileSync(committed, "utf8"));
  expect(await types("--check")).toMatchObject({
    stdout: expect.stringMatching(/is current\.\n$/),
    stderr: "",
  });
  const takeOne = "delete from public.schema_migrations where version = '20261125090000'";
  await withClient(env.DATABASE_URL, (client) => client.query(takeOne));
  expect((await types("--check")).stderr).toBe(
    "The database is behind. Not applied yet:\n  20261125090000_roles_and_schemas.sql\n",
  );
  writeFileSync(file, "edited by hand");
  expect((await types("--check")).code).toBe(1);
  expect(readFileSync(file, "utf8")).toBe("edited by hand");
});

test("rowhouse types is about the schemas that postgrest.conf serves, the first one's tables", async () => {
  const project = copyProject();
  editFile(project, "postgrest.conf", 'db-schemas = "api"', 'db-schemas = "v1, api"');
  const databaseUrl = await migratedClone();
  await withClient(databaseUrl, (client) =>
    client.query("create schema v1; create table v1.gadgets (id bigint primary key)"),
  );
  const output = join(project, "types.ts");
  const env = { DATABASE_URL: databaseUrl };
  expect(await rowhouse(["types", "--output", output], env, project)).toMatchObject({ code: 0 });
  const types = readFileSync(output, "utf8");
  expect(types).toContain("  api: {");
  expect(types).toMatch(/ {2}v1: \{\n {4}Tables: \{\n {6}gadgets: \{/);
  expect(types).toMatch(/export const tables = \{\n {2}gadgets: \{\n {4}key: \["id"\],/);
});

test("rowhouse types into a folder that is not there says so", async () => {
  const output = join(newHome(), "missing", "types.ts");
  const env = { DATABASE_URL: await migratedClone() };
  const { code, stderr } = await rowhouse(["types", "--output", output], env);
  expect(code).toBe(1);
  expect(stderr).toContain("[file_unusable]");
  expect(stderr).toContain(output);
});
