// From the server under test: CI runs this file with each version of PostgreSQL that `rowhouse init` reads.
import { expect, inject, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { type CatalogEntry, compareCatalogs, listKind } from "../../src/schema/catalog/catalog.ts";
import { readCatalogWithRoles } from "../../src/schema/plan/roles.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { testScratch } from "../../src/testing/database.ts";
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

/** The shop's database on the server under test; it ends with the test, and its roles, too. */
async function openShop(): Promise<string> {
  const scratch = testScratch();
  const url = new URL(await scratch.create());
  // dbmate demands TLS unless the URL says otherwise.
  url.searchParams.set("sslmode", "disable");
  onTestFinished(async () => {
    await scratch.drop(url.href);
    await withClient(inject("serverUrl"), (client) =>
      client.query(`drop role if exists shop_root, ${roles.join(", ")}`),
    );
  });
  await withClient(url.href, (client) => client.query(readFixture("shop")));
  return url.href;
}

async function readShop(url: string, folder: string): Promise<CatalogEntry[]> {
  const { platform } = readProject(folder);
  return withClient(url, (client) => readCatalogWithRoles(client, roles, platform));
}

test("a database that uses much of what PostgreSQL has is the same one in its project", async () => {
  const source = await openShop();
  const place = { source, scratch: undefined, folder: emptyFolder() };
  const { folder } = place;
  const { code, stdout, stderr } = await init(place, "--json");
  expect(stderr).not.toContain("error");
  const { difference, leftOut, notes } = JSON.parse(stdout);
  expect({ difference, leftOut }).toEqual({
    difference: same,
    leftOut: [],
  });
  expect(notes).toEqual([
    expect.stringMatching(/^A search path is set here that begins with app: /),
    expect.stringMatching(
      /^The role shop_root is a superuser there: .*: alter role shop_root superuser\.$/,
    ),
  ]);
  expect(code).toBe(0);
  const files = readAll(folder);
  expect(files["README.md"]).toContain(notes.join("\n"));
  expect(files["sql/roles/shop_root.sql"]).toContain("    create role shop_root nologin;\n");
  expect(files["sql/roles/shop_login.sql"]).toContain("create role shop_login login;");
  expect(JSON.stringify(files)).not.toContain("source-secret");

  const env = { SCRATCH_URL: undefined };
  const silent = { code: 0, stdout: "", stderr: "" };
  expect(await rowhouse(["db", "check"], env, folder)).toEqual(silent);
  expect((await rowhouse(["db", "adopt", "--against", source], env, folder)).code).toBe(0);
  expect(await rowhouse(["db", "check", "--against", source], env, folder)).toEqual(silent);
  expect(notes[0]).toContain(`DBMATE_MIGRATIONS_TABLE=${table.DBMATE_MIGRATIONS_TABLE}, `);
  expect(await dbmateUp(folder, source, table)).toEqual(silent);

  const catalog = await readShop(source, folder);
  expect(listKind(catalog, "role").map(({ name }) => name)).toEqual(expect.arrayContaining(roles));
  const fresh = await buildFresh(folder);
  expect(compareCatalogs(catalog, await readShop(fresh, folder))).toEqual(same);

  // A second database on that server: the roles are there, and nothing is made or changed again.
  const rows = "select xmin, * from pg_catalog.pg_authid order by rolname";
  const before = await query(fresh, rows);
  const second = inDatabase(fresh, "second");
  await query(fresh, "create database second template template0");
  expect((await dbmateUp(folder, second)).stdout).toContain("Applied");
  expect(await query(fresh, rows)).toEqual(before);
  expect(compareCatalogs(catalog, await readShop(second, folder))).toEqual(same);
});

const table = { DBMATE_MIGRATIONS_TABLE: "public.schema_migrations" };

const same = { missing: [], surplus: [] };

async function query(url: string, sql: string) {
  return (await withClient(url, (client) => client.query(sql))).rows;
}
