import { beforeAll, describe, expect, test } from "vitest";
import {
  type CatalogEntry,
  compareCatalogs,
  readCatalog,
  readCatalogOn,
} from "../../src/schema/catalog/catalog.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate, rollback } from "../../src/stack/dbmate.ts";
import { cloneDatabase, emptyDatabase } from "../../src/testing/database.ts";
import { migrationFiles } from "../support/project.ts";

const equal = { missing: [], surplus: [] };

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

describe("the comparison of catalogs", () => {
  let url: string;
  let before: CatalogEntry[];

  beforeAll(async () => {
    url = await cloneDatabase();
    await withClient(url, (client) =>
      client.query(`
        create domain public.short as text;
        create sequence public.numbers;
        create table public.part (id int) partition by range (id);
        create table public.part_1 partition of public.part for values from (1) to (2);
        alter default privileges grant select on tables to authenticated;
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
    "alter role anonymous set statement_timeout = '6s'",
    "alter role authenticated bypassrls",
    "grant pg_monitor to authenticated",
  ])("notices: %s", async (change) => {
    const changed = await withClient(url, async (client) => {
      await client.query("begin");
      await client.query(change);
      const catalog = await readCatalogOn(client);
      await client.query("rollback");
      return catalog;
    });
    expect(compareCatalogs(before, changed)).not.toEqual(equal);
  });
});
