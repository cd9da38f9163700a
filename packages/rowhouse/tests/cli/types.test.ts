import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { generateTypes } from "../../src/schema/types.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, migratedClone } from "../../src/testing/database.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";

const committed = join(projectRoot, "client/src/database.types.ts");

test("the client's committed types are those of the database", async () => {
  expect(await generateTypes(await cloneDatabase())).toBe(readFileSync(committed, "utf8"));
});

test("a table with the key (user_id, id) is owned, and another is not", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create table api.notes (user_id uuid, id uuid, primary key (user_id, id));
      create table api.settings (user_id uuid primary key);
      create table api.swapped (id uuid, user_id uuid, primary key (id, user_id));
    `),
  );
  const types = await generateTypes(url);
  expect(types).toContain('export const ownedTables = ["notes","tasks"] as const;');
  expect(types).toMatch(/^ {6}settings: \{$/m);
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
  const takeOne = "delete from public.schema_migrations where version = '20261121090000'";
  await withClient(env.DATABASE_URL, (client) => client.query(takeOne));
  expect((await types("--check")).stderr).toBe(
    "The database is behind. Not applied yet:\n  20261121090000_roles_and_schemas.sql\n",
  );
  writeFileSync(file, "edited by hand");
  expect((await types("--check")).code).toBe(1);
  expect(readFileSync(file, "utf8")).toBe("edited by hand");
});
