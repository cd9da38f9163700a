import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
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
async function readTables(url: string): Promise<object> {
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

test("the types name the columns that may be null, and those that a number cannot hold", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`
      create domain api.amount as numeric(12, 2) not null;
      create domain api.price as api.amount;
      create table api.items (
        id bigint primary key, price api.price, paid api.amount, weights numeric[], dropped bigint,
        count int not null, ratio double precision, total bigint generated always as (count * 2) stored
      );
      alter table api.items drop column dropped;
    `),
  );
  expect(await readTables(url)).toMatchObject({
    items: {
      key: ["id"],
      owner: null,
      nullable: ["price", "weights", "ratio", "total"],
      unsafeNumbers: ["id", "price", "paid", "weights", "total"],
    },
  });
});

test("a database without users has no owned table", async () => {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query("drop table api.users cascade"));
  expect(await readTables(url)).toEqual({
    tasks: { key: ["user_id", "id"], owner: null, nullable: [], unsafeNumbers: [] },
  });
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
