import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { findLogin } from "../../src/stack/find-login.ts";
import { ensureLogin, loginUrl, setPassword } from "../../src/stack/login.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { rowhouse } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";

// Roles are made here that other tests would find: a server of its own.
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

const run = (url: string, sql: string) => withClient(url, (client) => client.query(sql));

let databases = 0;
async function newDatabase(): Promise<string> {
  databases += 1;
  await run(cluster.url, `create database adopted_${databases}`);
  return inDatabase(cluster.url, `adopted_${databases}`);
}

describe("rowhouse db adopt", () => {
  test("refuses a migration that changes rows, and records nothing", async () => {
    const project = copyProject();
    const url = await newDatabase();
    await migrate(url, undefined, join(project, "db/migrations"));
    const file = "99990101000000_backfill.sql";
    const sql =
      "-- migrate:up\n-- All of them.\nupdate api.tasks set completed = true;\n\n-- migrate:down\n";
    writeFileSync(join(project, "db/migrations", file), sql);
    const { code, stderr } = await rowhouse(["db", "adopt", "--against", url], {}, project);
    expect(stderr).toContain(`error [adopt_refused] ${file} changes rows`);
    expect(stderr).toContain("update api.tasks");
    expect(code).toBe(1);
    const left = "select from public.schema_migrations where version = '99990101000000'";
    expect((await run(url, left)).rowCount).toBe(0);
  });

  test("refuses the table of another tool", async () => {
    const url = await newDatabase();
    await run(url, "create table public.schema_migrations (version bigint, inserted_at timestamp)");
    const { code, stderr } = await rowhouse(["db", "adopt", "--against", url], {}, copyProject());
    expect(stderr).toContain("error [adopt_refused] public.schema_migrations is not dbmate's");
    expect(code).toBe(1);
  });
});

describe("a server with login roles of its own", () => {
  test("without the usual one says which role is missing", async () => {
    await expect(setPassword(cluster.url, "nobody_there", "secret")).rejects.toMatchObject({
      code: "database_not_migrated",
      message: "There is no role nobody_there to log in as.",
    });
  });

  test("is asked which one is PostgREST's, and no password is changed", async () => {
    await run(
      cluster.url,
      `create role rest_visitor nologin;
      create role rest_blue login noinherit password 'blue';
      grant rest_visitor to rest_blue`,
    );
    const dir = mkdtempSync(join(tmpdir(), "rowhouse-adopt-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    writeFileSync(join(dir, "postgrest.conf"), 'db-anon-role = "rest_visitor"\n');
    const project = readProject(dir);
    expect(await findLogin(cluster.url, project)).toBe("rest_blue");
    await expect(
      ensureLogin(cluster.url, "rest_blue", "another", "AUTHENTICATOR_PASSWORD"),
    ).rejects.toMatchObject({ code: "database_refused" });
    await run(loginUrl(cluster.url, "rest_blue", "blue"), "select 1");

    await run(
      cluster.url,
      "create role rest_green login noinherit; grant rest_visitor to rest_green",
    );
    await expect(findLogin(cluster.url, project)).rejects.toMatchObject({
      code: "settings_invalid",
      message: expect.stringContaining("rest_blue, rest_green"),
    });
  });
});
