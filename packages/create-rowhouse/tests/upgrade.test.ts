import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { olderVersion, packOlder } from "./support/older.ts";
import { createProject, emptyFolder, filesBelow, installFromTarballs } from "./support/project.ts";
import { shell } from "./support/run.ts";

// A user who created their project with an older version of the packages, and upgrades it.
// One story: each test goes on where the one before it ended.

const limit = "sql/private/limit_affected_rows.sql";

let remove: () => void;
let project: string;
beforeAll(async () => {
  const folder = emptyFolder();
  remove = folder.remove;
  const older = await packOlder(inject("tarballs"), folder.dir);
  project = await createProject(folder.dir, "my-app", older);
  await shell("npm install --no-audit --no-fund", project);
});
afterAll(() => remove());

const read = (path: string) => readFileSync(join(project, path), "utf8");

test("starts with what the older version wrote, and a database that it migrated", async () => {
  expect(await shell("npx rowhouse --version", project)).toBe(`${olderVersion}\n`);
  expect(read(limit)).toContain("    50\n");
  await shell("npx rowhouse migrate", project);
  await shell("npx rowhouse db check", project);
  expect(await shell("npx rowhouse upgrade", project)).toContain("every file is current");
});

test("edits a file that the new version does not change, and the settings of PostgREST", () => {
  const edited = read("postgrest.conf").replace("db-max-rows = 1000", "db-max-rows = 500");
  writeFileSync(join(project, "postgrest.conf"), edited);
});

test("installs the new version, and upgrades: one proven migration, and the edit is kept", async () => {
  installFromTarballs(project);
  await shell("npm install --no-audit --no-fund", project);
  const upgraded = await shell("npx rowhouse upgrade", project);
  expect(upgraded).toContain(`${limit}: updated`);
  expect(read(limit)).toContain("    100\n");
  expect(read("postgrest.conf")).toContain("db-max-rows = 500");
  const written = filesBelow(join(project, "db/migrations")).filter((name) =>
    name.includes("_upgrade_to_"),
  );
  expect(written).toHaveLength(1);
  expect(JSON.parse(read("rowhouse.lock.json")).version).not.toBe(olderVersion);
});

test("migrates, and has nothing left to do", async () => {
  await shell("npx rowhouse migrate", project);
  await shell("npx rowhouse db check", project);
  expect(await shell("npx rowhouse upgrade", project)).toContain("every file is current");
});
