// From the server under test: CI runs this file with each version of PostgreSQL that `rowhouse init` reads.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { type CatalogEntry, compareCatalogs, listKind } from "../../src/schema/catalog/catalog.ts";
import { readCatalogWithRoles } from "../../src/schema/plan/roles.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { emptyDatabase, testScratch } from "../../src/testing/database.ts";
import {
  buildFresh,
  dbmateUp,
  emptyFolder,
  init,
  readAll,
  readFixture,
} from "../support/adopted.ts";
import { rowhouse } from "../support/cli.ts";

const roles = ["shop_anon", "shop_login", "shop_owner", "shop_staff"];

/** The shop's database on the server under test. */
async function openShop(): Promise<string> {
  const url = new URL(await emptyDatabase());
  // dbmate demands TLS unless the URL says otherwise.
  url.searchParams.set("sslmode", "disable");
  await withClient(url.href, (client) => client.query(readFixture("shop")));
  return url.href;
}

/** Its roles end with it. */
async function closeShop(url: string): Promise<void> {
  await testScratch().drop(url);
  await query(inject("serverUrl"), `drop role if exists shop_root, ${roles.join(", ")}`);
}

async function readShop(url: string, folder: string): Promise<CatalogEntry[]> {
  const { platform } = readProject(folder);
  return withClient(url, (client) => readCatalogWithRoles(client, roles, platform));
}

const silent = { code: 0, stdout: "", stderr: "" };
const env = { SCRATCH_URL: undefined };

let folder: string;
let source: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rowhouse-init-source-"));
  source = await openShop();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeShop(source);
});

test("a database that uses much of what PostgreSQL has is the same one in its project", async () => {
  const { code, stdout, stderr } = await init({ source, scratch: undefined, folder }, "--json");
  expect(stderr).not.toContain("error");
  const { difference, leftOut, notes } = JSON.parse(stdout);
  expect({ difference, leftOut }).toEqual({ difference: same, leftOut: [] });
  const [path, root, ...others] = notes;
  expect(path).toMatch(/^A search path is set here that begins with app: /);
  expect(root).toMatch(
    /^The role shop_root is a superuser there: .* alter role shop_root superuser\.$/,
  );
  // Extensions of the newest version lack what older ones brought.
  for (const note of others) expect(note).toMatch(/^Who may use the function shop_ext\.\w+\(/);
  expect(code).toBe(0);
  const files = readAll(folder);
  expect(files["README.md"]).toContain(notes.join("\n"));
  expect(files["sql/roles/shop_root.sql"]).toContain("    create role shop_root nologin;\n");
  expect(files["sql/roles/shop_login.sql"]).toContain("create role shop_login login;");
  expect(JSON.stringify(files)).not.toContain("source-secret");

  const adopt = ["db", "adopt", "--against", source];
  expect(await rowhouse(adopt, env, folder)).toMatchObject({ code: 0, stderr: "" });
  expect(await rowhouse(["db", "check", "--against", source], env, folder)).toEqual(silent);
  expect(path).toContain(`DBMATE_MIGRATIONS_TABLE=${table.DBMATE_MIGRATIONS_TABLE}, `);
  expect(await dbmateUp(folder, source, table)).toEqual(silent);
});

// What was written is built on the newest version, whichever it was read from.
test.skipIf(process.env.TEST_DATABASE_URL)(
  "its project is the same on a new server, and in a second database on it",
  async () => {
    expect(await rowhouse(["db", "check"], env, folder)).toEqual(silent);
    const catalog = await readShop(source, folder);
    const shown = listKind(catalog, "role").map(({ name }) => name);
    expect(shown).toEqual(expect.arrayContaining(roles));
    const fresh = await buildFresh(folder);
    expect(compareCatalogs(catalog, await readShop(fresh, folder))).toEqual(same);

    // The roles are there, and nothing is made or changed again.
    const rows = "select xmin, * from pg_catalog.pg_authid order by rolname";
    const before = await query(fresh, rows);
    const second = inDatabase(fresh, "second");
    await query(fresh, "create database second template template0");
    expect((await dbmateUp(folder, second)).stdout).toContain("Applied");
    expect(await query(fresh, rows)).toEqual(before);
    expect(compareCatalogs(catalog, await readShop(second, folder))).toEqual(same);
  },
);

test("a database whose owner is no superuser is adopted, also with what PostgreSQL made in it", async () => {
  const owned = await emptyDatabase();
  const folder = emptyFolder();
  onTestFinished(async () => {
    await testScratch().drop(owned);
    await query(
      inject("serverUrl"),
      "drop role if exists owned_anon, owned_staff, owned_second, owned_own",
    );
  });
  await withClient(owned, (client) => client.query(readFixture("owned")));
  const options = ["--schemas", "app", "--anon-role", "owned_anon", "--no-pre-request"];
  const place = { source: owned, scratch: undefined, folder };
  const { stdout, stderr } = await init(place, ...options, "--json");
  expect(stderr).not.toContain("error");
  const { difference, leftOut } = JSON.parse(stdout);
  expect({ difference, leftOut }).toEqual({ difference: same, leftOut: [] });
  const files = readAll(folder);
  expect(JSON.stringify(files)).toContain("truncate on tables from current_user;");
  expect(JSON.stringify(files)).not.toContain("for role owned_own");
  expect(JSON.stringify(files)).toContain("for role owned_second revoke execute on functions");
  expect(files["policies/app/person.sql"]).toBe(`revoke insert on app.person from owned_anon;

grant
  select,
  insert,
  update
on app.person to owned_staff;
`);
  for (const against of [[], ["--against", owned]]) {
    if (against.length > 0) {
      const adopted = await rowhouse(["db", "adopt", ...against], env, folder);
      expect(adopted).toMatchObject({ code: 0, stderr: "" });
    }
    expect(await rowhouse(["db", "check", ...against], env, folder)).toEqual(silent);
  }
});

const table = { DBMATE_MIGRATIONS_TABLE: "public.schema_migrations" };

const same = { missing: [], surplus: [] };

async function query(url: string, sql: string) {
  return (await withClient(url, (client) => client.query(sql))).rows;
}
