import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readHistory } from "../../src/schema/catalog/history.ts";
import { adoptMigrations } from "../../src/schema/plan/adopt.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { emptyDatabase, migratedClone, testScratch } from "../../src/testing/database.ts";
import { migrationFiles, migrationsDir } from "../support/project.ts";

const tasks = readdirSync(migrationsDir).find((file) => file.endsWith("_tasks.sql")) ?? "";
const note = "alter table api.tasks add column note text";

/** A copy of the migrations to edit; it ends with the test. */
function copyMigrations(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-migrations-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  cpSync(migrationsDir, dir, { recursive: true });
  return dir;
}

/** @param rows What it also does. */
function addMigration(dir: string, rows = ""): string {
  const file = "20991231235959_note.sql";
  writeFileSync(
    join(dir, file),
    `-- migrate:up\n${note};\n${rows}\n-- migrate:down\nalter table api.tasks drop column note;\n`,
  );
  return file;
}

async function change(url: string, sql: string): Promise<void> {
  await withClient(url, (client) => client.query(sql));
}

test("a migrated database is neither behind nor ahead, and has not drifted", async () => {
  const url = await migratedClone();
  expect(await readHistory(testScratch(), url, migrationsDir)).toEqual({
    pending: [],
    unknown: [],
    drift: [],
  });
});

test("a database is behind by the migrations that it has not seen", async () => {
  const dir = copyMigrations();
  const file = addMigration(dir);
  const url = await migratedClone();
  expect(await readHistory(testScratch(), url, dir)).toEqual({
    pending: [file],
    unknown: [],
    drift: [],
  });
});

test("a database that has never been migrated is behind by everything", async () => {
  const { pending, drift } = await readHistory(testScratch(), await emptyDatabase(), migrationsDir);
  expect(pending).toHaveLength(migrationFiles.length);
  expect(drift).toEqual([]);
});

test("a database is ahead by the versions that no file has", async () => {
  const url = await migratedClone();
  await change(url, "insert into public.schema_migrations values ('20300101000000')");
  const { unknown } = await readHistory(testScratch(), url, migrationsDir);
  expect(unknown).toEqual(["20300101000000"]);
});

test("a migration that was edited after it was applied is named, with what it says now", async () => {
  const dir = copyMigrations();
  const file = join(dir, tasks);
  writeFileSync(file, readFileSync(file, "utf8").replace("between 1 and 200", "between 1 and 300"));
  const { drift } = await readHistory(testScratch(), await migratedClone(), dir);
  expect(drift).toMatchObject([
    {
      file: tasks,
      difference: {
        missing: [{ kind: "constraint", name: "tasks_title_length on api.tasks" }],
        surplus: [{ kind: "constraint", name: "tasks_title_length on api.tasks" }],
      },
    },
  ]);
});

test("a migration that is missing, or edited into nonsense, is named", async () => {
  const url = await migratedClone();
  const missing = copyMigrations();
  rmSync(join(missing, readdirSync(missing).find((file) => file.endsWith("_users.sql")) ?? ""));
  await expect(readHistory(testScratch(), url, missing)).rejects.toMatchObject({
    code: "migration_failed",
    message: expect.stringMatching(/versions that no file here has:\n {2}\d+0300\n.*_tasks\.sql/),
    remedy: expect.stringContaining("Restore the missing files"),
  });
  const edited = copyMigrations();
  writeFileSync(join(edited, tasks), "-- migrate:up\ncreat table;\n-- migrate:down\n");
  await expect(readHistory(testScratch(), url, edited)).rejects.toMatchObject({
    message: expect.stringMatching(/^The applied migrations no longer .*_tasks\.sql/),
    remedy: expect.stringContaining("was edited since"),
  });
});

test("what was created by hand is reported, without a migration", async () => {
  const url = await migratedClone();
  await change(url, note);
  const { drift } = await readHistory(testScratch(), url, migrationsDir);
  expect(drift).toMatchObject([
    { file: undefined, difference: { missing: [], surplus: [{ name: "api.tasks.note" }] } },
  ]);
});

test("migrations that another schema records are not applied again, and those of other programs do not count", async () => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-migrations-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = "20990101000000_notes.sql";
  writeFileSync(
    join(dir, file),
    "-- migrate:up\ncreate table if not exists public.notes (id int);\n-- migrate:down\n",
  );
  const url = await emptyDatabase();
  await change(
    url,
    `create schema auth;
    create table auth.schema_migrations (version varchar(255) primary key);
    insert into auth.schema_migrations values ('20171026211738')`,
  );
  expect(await migrate(url, undefined, dir)).toEqual([file]);
  const move = `create schema "my app"; alter table public.schema_migrations set schema "my app"`;
  await change(url, move);
  const error = await migrate(url, undefined, dir).catch((reason) => reason);
  expect(error).toMatchObject({
    code: "migration_failed",
    message: expect.stringContaining('records no migration, and "my app".schema_migrations does'),
  });
  await change(url, error.remedy.replace(/^.*psql: /, ""));
  expect(await migrate(url, undefined, dir)).toEqual([]);
});

test("a dev database that has what a new migration brings takes it as applied", async () => {
  const dir = copyMigrations();
  const file = addMigration(dir);
  const url = await migratedClone();
  expect(await adoptMigrations(testScratch(), url, dir)).toEqual([]);
  await change(url, note);
  expect(await adoptMigrations(testScratch(), url, dir)).toEqual([{ file, ran: 0 }]);
  expect(await adoptMigrations(testScratch(), url, dir)).toEqual([]);
  expect((await readHistory(testScratch(), url, dir)).pending).toEqual([]);
});

test("a dev database gets the rows that a migration changes, though it has all else of it", async () => {
  const dir = copyMigrations();
  const id = "a11ce000-0000-4000-8000-000000000000";
  const file = addMigration(
    dir,
    `-- Who is always there.
    insert into api.users (id) values ('${id}');
    do $$ begin insert into api.tasks (user_id, title, note) values ('${id}', 'one', 'mine'); end $$;`,
  );
  const url = await migratedClone();
  await change(url, note);
  expect(await adoptMigrations(testScratch(), url, dir)).toEqual([{ file, ran: 2 }]);
  const { rows } = await withClient(url, (client) => client.query("select note from api.tasks"));
  expect(rows).toEqual([{ note: "mine" }]);
});

const complete = "update api.tasks set completed = true";

test.each([
  [
    "alter table api.tasks disable trigger user",
    `${complete}; alter table api.tasks enable trigger user`,
  ],
  ["set local search_path = api", complete.replace("api.", "")],
])("a change of rows that needs the statement above it is not run: %s", async (above, rows) => {
  const dir = copyMigrations();
  const file = addMigration(dir, `${above};\n${rows};`);
  const url = await migratedClone();
  await change(url, note);
  const error = await adoptMigrations(testScratch(), url, dir).catch((reason) => reason);
  expect(error).toMatchObject({ code: "adopt_refused", message: expect.stringContaining(above) });
  expect((await readHistory(testScratch(), url, dir)).pending).toEqual([file]);
  // What the remedy names is there, also where dbmate has not made its table.
  await change(url, "drop table public.schema_migrations");
  await change(url, error.remedy.replace(/^.*psql`: /, ""));
  const { rows: left } = await withClient(url, (client) =>
    client.query("select version from public.schema_migrations"),
  );
  expect(left).toEqual([{ version: "20991231235959" }]);
});

test("a change of rows that fails on a dev database is named, and nothing is recorded", async () => {
  const dir = copyMigrations();
  const file = addMigration(
    dir,
    "insert into api.users (id) values (request.uuid_v7());\nupdate api.tasks set title = '';",
  );
  const url = await migratedClone();
  await change(url, note);
  await change(
    url,
    `insert into api.users (id) values ('a11ce000-0000-4000-8000-000000000000');
    insert into api.tasks (user_id, title) select id, 'one' from api.users`,
  );
  await expect(adoptMigrations(testScratch(), url, dir)).rejects.toMatchObject({
    code: "adopt_refused",
    message: expect.stringContaining("update api.tasks set title = ''"),
  });
  expect((await readHistory(testScratch(), url, dir)).pending).toEqual([file]);
  const { rowCount } = await withClient(url, (client) => client.query("select from api.users"));
  expect(rowCount).toBe(1);
});
