import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareCatalogs, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { draftMigration } from "../../src/schema/plan/migration.ts";
import { migrate, rollback } from "../../src/stack/dbmate.ts";
import { signIn, startApi } from "../../src/testing/api.ts";
import {
  cloneDatabase,
  emptyDatabase,
  migratedClone,
  testScratch,
} from "../../src/testing/database.ts";
import { projectRoot } from "../support/project.ts";
import { blockAfter } from "./page.ts";

const page = readFileSync(join(projectRoot, "docs/add-a-table.md"), "utf8");
const table = blockAfter(page, "`sql/api/notes.sql`");
const policies = blockAfter(page, "`policies/notes.sql`");

const equal = { missing: [], surplus: [] };
let project: string;
let migrations: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "rowhouse-notes-"));
  for (const dir of ["sql", "policies", "db"]) {
    cpSync(join(projectRoot, dir), join(project, dir), { recursive: true });
  }
  migrations = join(project, "db/migrations");
  writeFileSync(join(project, "sql/api/notes.sql"), table);
  writeFileSync(join(project, "policies/notes.sql"), policies);
  const [migrated, declared] = [testScratch(), testScratch()];
  const draft = await draftMigration(
    { root: project, dir: migrations, migrated, declared },
    "notes",
  );
  writeFileSync(join(migrations, draft?.file ?? ""), draft?.text ?? "");
});
afterAll(() => rmSync(project, { recursive: true }));

test("the migration that the page has written builds what the page declares, and goes back", async () => {
  const [declared, migrated] = await Promise.all([emptyDatabase(), migratedClone()]);
  const before = await readCatalog(migrated);
  await buildDeclared(declared, project);
  await migrate(migrated, undefined, migrations);
  expect(compareCatalogs(await readCatalog(declared), await readCatalog(migrated))).toEqual(equal);
  await rollback(migrated, 1, undefined, migrations);
  expect(compareCatalogs(before, await readCatalog(migrated))).toEqual(equal);
});

test("the API serves the new table at once, to each user their own rows", async () => {
  const url = await cloneDatabase();
  const api = await startApi(url);
  try {
    const [alice, bob] = [await signIn(api), await signIn(api)];
    await migrate(url, undefined, migrations);
    const create = () => alice.ask("/notes", { method: "POST", body: { body: "Hello" } });
    await expect.poll(async () => (await create()).status).toBe(201);
    expect(await alice.ask("/notes?select=body")).toMatchObject({
      status: 200,
      body: [{ body: "Hello" }],
    });
    expect(await bob.ask("/notes?select=body")).toMatchObject({ status: 200, body: [] });
  } finally {
    await api.stop();
  }
});
