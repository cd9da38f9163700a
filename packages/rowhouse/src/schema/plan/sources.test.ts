import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { preferSources } from "./prefer-source.ts";
import { declaredSources } from "./sources.ts";

function readSources(sql: string) {
  const root = mkdtempSync(join(tmpdir(), "rowhouse-sources-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const dir of ["sql", "policies"]) mkdirSync(join(root, dir));
  writeFileSync(join(root, "sql/all.sql"), sql);
  return declaredSources(root);
}

test("sources are found however they are written", () => {
  const sources = readSources(`
    /* the /* tasks */ */ CREATE TABLE IF NOT EXISTS api.tasks (a text); -- and more
    alter table api.tasks enable row level security, force row level security;
    create policy "Own; rows" on api.tasks using (a = E'\\';');
    create index concurrently i on api.tasks (a)
  `);
  expect(Object.fromEntries(sources)).toEqual({
    "table api.tasks": "/* the /* tasks */ */ CREATE TABLE IF NOT EXISTS api.tasks (a text)",
    'policy "Own; rows" on api.tasks':
      "create policy \"Own; rows\" on api.tasks using (a = E'\\';')",
    "index api.i": "create index concurrently i on api.tasks (a)",
  });
});

test.each([
  "ALTER TABLE ONLY api.tasks ADD COLUMN b text",
  "alter table api.tasks rename column a to b",
  "alter table api.tasks set schema private",
  "alter table api.tasks enable row level security, add column b text",
  "drop table if exists api.others, api.tasks",
  "create table if not exists api.tasks ()",
])("what was changed after it was made has no source: %s", (change) => {
  const sources = readSources(`create table api.tasks (a text); ${change}`);
  expect(sources.get("table api.tasks")).toBeUndefined();
});

test("what stands in the statement of a table is not added again", () => {
  const source =
    'CREATE TABLE api.tasks (\n"My part" int constraint small check (a < 5),\nprimary key (a)\n)';
  const statements = [
    "create table api.tasks ()",
    'alter table api.tasks\n  add column "My part" integer',
    "alter table api.tasks\n  add constraint small check (a < 5)",
    "alter table api.tasks\n  add constraint key check (a < 5)",
  ];
  const catalogs = { before: [], after: [] };
  expect(preferSources(statements, readSources(source), catalogs)).toEqual([
    source,
    "alter table api.tasks\n  add constraint key check (a < 5)",
  ]);
});
