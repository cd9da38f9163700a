import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readProject } from "../../src/lib/project.ts";
import { guardRole } from "../../src/schema/init/guard.ts";
import { createIfMissing } from "../../src/schema/plan/roles.ts";
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

  test("says that it is another database, and how it begins to differ", async () => {
    const project = copyProject();
    const { stderr } = await rowhouse(
      ["db", "adopt", "--against", await newDatabase()],
      {},
      project,
    );
    expect(stderr).toMatch(
      /^error \[adopt_refused\] This looks like another database: \d+ objects differ\./m,
    );
    expect(stderr.match(/^ {2}\w/gm)).toHaveLength(20);
    expect(stderr).toMatch(/^ {2}\.\.\. and \d+ more\.$/m);
  });

  test("refuses a migration that may change rows by a function", async () => {
    const project = copyProject();
    const url = await newDatabase();
    await migrate(url, undefined, join(project, "db/migrations"));
    writeFileSync(
      join(project, "db/migrations/99990101000000_numbers.sql"),
      "-- migrate:up\nselect setval('api.numbers', 7);\n-- migrate:down\n",
    );
    const { code, stderr } = await rowhouse(["db", "adopt", "--against", url], {}, project);
    expect(stderr).toContain("changes rows, or may");
    expect(stderr).toContain("select setval('api.numbers', 7)");
    expect(code).toBe(1);
  });

  test("refuses the table of another tool", async () => {
    const url = await newDatabase();
    await run(url, "create table public.schema_migrations (version bigint, inserted_at timestamp)");
    const { code, stderr } = await rowhouse(["db", "adopt", "--against", url], {}, copyProject());
    expect(stderr).toContain("error [adopt_refused] public.schema_migrations is not dbmate's");
    expect(code).toBe(1);
  });
});

describe("what init writes about roles", () => {
  const memberships = `select roleid::regrole::text as role, member::regrole::text as member, xmin
    from pg_catalog.pg_auth_members
    where member = to_regrole('guard_deployer')
    order by 1`;
  const settings =
    "select setconfig, xmin from pg_catalog.pg_db_role_setting where setrole = to_regrole('guard_editor')";

  test("gives a membership that so far only another one brings, and changes none that is there", async () => {
    await run(
      cluster.url,
      `create role guard_editor;
      create role guard_staff;
      create role guard_deployer;
      grant guard_editor to guard_staff;
      grant guard_staff to guard_deployer`,
    );
    const sql = guardRole("grant guard_editor to guard_deployer");
    await run(cluster.url, sql);
    const { rows } = await run(cluster.url, memberships);
    expect(rows.map(({ role }) => role)).toEqual(["guard_editor", "guard_staff"]);
    await run(cluster.url, sql);
    expect((await run(cluster.url, memberships)).rows).toEqual(rows);
  });

  test("corrects a setting that is another one, and touches none that is right", async () => {
    const sql = guardRole("alter role guard_editor set statement_timeout to '7s'");
    await run(cluster.url, "alter role guard_editor set statement_timeout = '70s'");
    await run(cluster.url, sql);
    const { rows } = await run(cluster.url, settings);
    expect(rows).toMatchObject([{ setconfig: ["statement_timeout=7s"] }]);
    await run(cluster.url, sql);
    expect((await run(cluster.url, settings)).rows).toEqual(rows);
  });

  test("leaves a role that is there as it is", async () => {
    await run(cluster.url, createIfMissing("create role guard_editor with login superuser"));
    const { rows } = await run(
      cluster.url,
      "select rolcanlogin, rolsuper from pg_catalog.pg_roles where rolname = 'guard_editor'",
    );
    expect(rows).toEqual([{ rolcanlogin: false, rolsuper: false }]);
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
