import { expect, test } from "vitest";
import { readCatalog } from "../../src/schema/catalog/catalog.ts";
import { prove } from "../../src/schema/proof/prove.ts";
import { makeRows, openTarget } from "../../src/schema/proof/sample-rows.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { emptyDatabase, testScratch } from "../../src/testing/database.ts";
import { migrationsDir } from "../support/project.ts";

const migrated = await emptyDatabase();
await migrate(migrated);
const before = await readCatalog(migrated);
const withNote = await withClient(migrated, async (client) => {
  await client.query("alter table api.tasks add column note text");
  return readCatalog(migrated);
});

const add = "alter table api.tasks add column note text;";
const drop = "alter table api.tasks drop column note;";

async function evaluateCondition(up: string, down: string, losing: string[] = []) {
  return prove(testScratch(), {
    file: "20991231235959_tried.sql",
    text: `-- migrate:up\n${up}\n-- migrate:down\n${down}\n`,
    dir: migrationsDir,
    declared: up.includes(add) ? withNote : before,
    losing: new Set(losing),
    renamed: new Map(),
    emptied: [],
    newRoles: [],
  });
}

test("a migration that arrives, returns and keeps the rows is proven", async () => {
  expect(await evaluateCondition(add, drop)).toEqual({
    rows: 22,
    tables: 10,
    staying: [],
    untried: [],
    emptied: [],
  });
});

test.each([
  ["up does not arrive", `${add} drop index api.users_email;`, drop, "up", /users_email/],
  ["down does not return", add, "select 1;", "down", /\+ column api\.tasks\.note/],
  ["up loses rows", `${add} delete from api.tasks;`, drop, "up", /rows of api\.tasks/],
  ["up changes rows", `${add} update api.tasks set title = 'x';`, drop, "up", /rows of api\.tasks/],
  [
    "up creates a column again that had a default",
    "alter table api.tasks drop column completed; alter table api.tasks add column completed boolean not null default false; comment on column api.tasks.completed is 'Whether it is done.'; grant select (completed), insert (completed), update (completed) on api.tasks to authenticated;",
    "select 1;",
    "up",
    /rows of api\.tasks/,
  ],
  ["down loses rows", add, `${drop} truncate api.users cascade;`, "down", /rows of api\./],
  ["up fails", `${add} select 1 / 0;`, drop, "up", /division by zero/],
] as const)("it is refuted when %s", async (_what, up, down, direction, reason) => {
  expect(await evaluateCondition(up, down)).toMatchObject({
    direction,
    reason: expect.stringMatching(reason),
  });
});

test("what is given up on purpose may be lost", async () => {
  const up = "update api.tasks set description = 'x';";
  expect(await evaluateCondition(up, "select 1;")).toMatchObject({ direction: "up" });
  expect(
    await evaluateCondition(up, "select 1;", ["api.tasks.description", "api.tasks.updated_at"]),
  ).toMatchObject({ rows: 22 });
  expect(await evaluateCondition(up, "select 1;", ["api.tasks"])).toMatchObject({
    rows: 20,
    tables: 9,
  });
});

test("rows are made up by type, default and reference; where the rules are too odd, it is reported", async () => {
  const url = await emptyDatabase();
  const untried = await withClient(url, async (client) => {
    await client.query(`
      create type public.state as enum ('open', 'done');
      create table public.parent (
        id int generated always as identity primary key,
        at timestamptz not null,
        tags text[] not null,
        extra jsonb not null
      );
      create table public.child (
        parent int not null references public.parent (id),
        state public.state not null
      );
      create table public.odd (word text not null check (md5(word) = 'sesame'));
      create table public.magic (word text not null check (word = 'sesame'));
      create table public.picky (id int primary key, word text check (word = 'sesame'));
    `);
    return makeRows(client);
  });
  expect(untried).toEqual([
    { table: "public.odd", reason: expect.stringContaining("odd_word_check") },
  ]);
  const { rows } = await withClient(url, (client) =>
    client.query(
      `select (select count(*)::int from public.child) as child,
        (select count(distinct parent)::int from public.child) as parents,
        (select count(*)::int from public.picky) as picky`,
    ),
  );
  expect(rows).toEqual([{ child: 2, parents: 2, picky: 2 }]);
});

test("rows come from triggers too, meet the rules to come, or name the table that has none", async () => {
  const [url, later] = [await emptyDatabase(), await emptyDatabase()];
  const tables = (more: string) => `
    create table public.account (id uuid primary key);
    create table public.profile (id uuid primary key references public.account (id), name text not null unique check (name ~ '^p\\$'));
    create table public.tag (words text[] not null, account uuid references public.account (id) ${more});
    create table public.odd (id int primary key check (md5(id::text) = 'sesame'));
    create table public.child (odd int not null references public.odd (id));`;
  await withClient(later, (client) =>
    client.query(tables(", owner uuid not null references public.account (id)")),
  );
  const untried = await withClient(url, async (client) => {
    await client.query(`${tables("")}
      create function public.make() returns trigger language plpgsql as $$
      begin
        insert into profile values (new.id, 'p$' || new.id);
        return new;
      end $$;
      create trigger make after insert on public.account for each row execute function public.make();`);
    return withClient(later, async (target) => makeRows(client, await openTarget(target)));
  });
  expect(untried).toEqual([
    { table: "public.odd", reason: expect.stringContaining("odd_id_check") },
    { table: "public.child", reason: "it refers to public.odd, which has no rows" },
  ]);
  const { rows } = await withClient(url, (client) =>
    client.query(
      "select (select count(*)::int from public.profile) as profiles, (select count(*)::int from public.tag) as tags",
    ),
  );
  expect(rows).toEqual([{ profiles: 2, tags: 2 }]);
});
