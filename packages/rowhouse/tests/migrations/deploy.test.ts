import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { compareCatalogs, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { findDbmate } from "../../src/stack/binaries.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate, rollback } from "../../src/stack/dbmate.ts";
import { setPassword } from "../../src/stack/login.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import { migrationFiles, projectRoot } from "../support/project.ts";

const run = promisify(execFile);
const equal = { missing: [], surplus: [] };

/** What a deploy runs: dbmate, given only the URL. */
async function plainDbmateUp(url: string): Promise<void> {
  const explicit = `${url.split("?")[0]}?sslmode=disable`;
  const env = { PATH: process.env.PATH, DATABASE_URL: explicit };
  await run(findDbmate(), ["up"], { cwd: projectRoot, env });
}

/** Makes a database whose owner has the rights that Neon gives, and no more. */
async function neonDatabase(serverUrl: string, owner: string): Promise<string> {
  const database = new URL(await emptyDatabase(serverUrl)).pathname.slice(1);
  await withClient(serverUrl, async (client) => {
    await client.query(`create role ${owner} login createrole createdb bypassrls password 'neon'`);
    await client.query(`alter database ${database} owner to ${owner}`);
  });
  const url = new URL(inDatabase(serverUrl, database));
  url.username = owner;
  url.password = "neon";
  return url.href;
}

async function migratedCatalog() {
  const url = await emptyDatabase();
  await migrate(url);
  return readCatalog(url);
}

test("plain dbmate up builds the same as rowhouse migrate", async () => {
  const url = await emptyDatabase();
  await plainDbmateUp(url);
  expect(compareCatalogs(await migratedCatalog(), await readCatalog(url))).toEqual(equal);
});

test("two migrations at once: the second waits, then finds nothing to do", async () => {
  const url = await emptyDatabase();
  const waits: number[] = [];
  const both = await Promise.all([1, 2].map((who) => migrate(url, () => waits.push(who))));
  expect(both.map((applied) => applied.length).sort()).toEqual([0, migrationFiles.length]);
  expect(waits).toHaveLength(1);
});

test("a migration that fails is named, and leaves nothing behind", async () => {
  const url = await emptyDatabase();
  await withClient(url, (client) => client.query("create schema private"));
  await expect(migrate(url)).rejects.toMatchObject({
    code: "migration_failed",
    message: expect.stringMatching(/roles_and_schemas\.sql.*schema "private" already exists/s),
  });
  const { rows } = await withClient(url, (client) =>
    client.query("select to_regnamespace('api') as api, to_regnamespace('request') as request"),
  );
  expect(rows).toEqual([{ api: null, request: null }]);
});

describe("an owner with the rights that Neon gives", () => {
  test("migrates up, down and up on a server where the roles exist already", async () => {
    const owner = `neon_${inject("template").slice(-17, -9)}`;
    const url = await neonDatabase(inject("serverUrl"), owner);
    await plainDbmateUp(url);
    expect(compareCatalogs(await migratedCatalog(), await readCatalog(url))).toEqual(equal);
    await rollback(url, Number.POSITIVE_INFINITY);
    expect(await migrate(url)).toHaveLength(migrationFiles.length);
    await withClient(inject("serverUrl"), async (client) => {
      await client.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`);
      await client.query(`drop role ${owner}`);
    });
  });

  describe("on a new server", () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await startCluster();
    });
    afterAll(() => cluster.stop());

    test("makes the roles, and may set the password of authenticator", async () => {
      const url = await neonDatabase(cluster.url, "neon_owner");
      await plainDbmateUp(url);
      expect(compareCatalogs(await migratedCatalog(), await readCatalog(url))).toEqual(equal);
      await setPassword(url, "authenticator", "a password");
      const roles = await withClient(url, (client) =>
        client.query(
          `select rolname, rolcanlogin, rolinherit, rolbypassrls, rolconfig from pg_roles
           where rolname in ('anonymous', 'authenticated', 'authenticator') order by 1`,
        ),
      );
      const api = {
        rolcanlogin: false,
        rolinherit: false,
        rolbypassrls: false,
        rolconfig: ["statement_timeout=5s"],
      };
      expect(roles.rows).toEqual([
        { rolname: "anonymous", ...api },
        { rolname: "authenticated", ...api },
        {
          ...api,
          rolname: "authenticator",
          rolcanlogin: true,
          rolconfig: ["plan_cache_mode=force_generic_plan"],
        },
      ]);
    });
  });
});
