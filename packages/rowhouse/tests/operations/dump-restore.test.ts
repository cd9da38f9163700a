import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { areEqual, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { backUp, listFaults, runDrill } from "../support/backup.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { type DebianServer, hasDebianServer, startDebianServer } from "../support/debian-server.ts";
import { alice, people } from "../support/people.ts";

// `apt install postgresql-15` brings a server and the pg_dump that fits it.
describe.runIf(hasDebianServer)("a dump of an owner with the rights that hosts give", () => {
  let server: DebianServer;
  let source: string;

  beforeAll(async () => {
    server = await startDebianServer();
    for (const owner of ["one", "other"]) {
      await run(
        server.url,
        `create role ${owner} login createrole createdb bypassrls password 'p'`,
      );
    }
    source = await database("source", "one");
    await migrate(source);
    // What is counted must not depend on it.
    await run(source, "alter database source set timezone = 'Asia/Tokyo'");
    await run(
      source,
      `${people}; alter default privileges in schema api grant select on tables to authenticated`,
    );
  });

  afterAll(() => server.stop());

  const run = (url: string, sql: string) => withClient(url, (client) => client.query(sql));

  async function database(name: string, owner: string, options = ""): Promise<string> {
    await run(server.url, `create database ${name} owner ${owner} ${options}`);
    const url = new URL(inDatabase(server.url, name));
    url.username = owner;
    url.password = "p";
    return url.href;
  }

  test("is proven, and restored by another owner, with all that new objects are to get", async () => {
    const home = newHome();
    const backup = await backUp(home, "--url", source);
    const open = ["", ...readdirSync(backup)].filter(
      (name) => (lstatSync(join(backup, name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
    expect(listFaults(await runDrill(home))).toEqual([]);
    const target = await database("target", "other");
    // libpq's own variables lead nowhere: the URL says all.
    const env = { ROWHOUSE_HOME: home, PGHOSTADDR: "127.0.0.99" };
    const outcome = await rowhouse(["restore", "--url", target], env);
    expect(outcome).toMatchObject({ code: 0 });
    expect(areEqual(await readCatalog(source), await readCatalog(target))).toBe(true);
    const made = "create table api.late (); create function api.late() returns int return 1";
    await run(target, made);
    const { rows } = await run(
      target,
      "select has_table_privilege('authenticated', 'api.late', 'select') as reads, has_function_privilege('authenticated', 'api.late()', 'execute') as runs",
    );
    expect(rows).toEqual([{ reads: true, runs: false }]);
  });

  test("that was taken while others write is proven to the row", async () => {
    const home = newHome();
    let written = 0;
    let stopped = false;
    const writing = withClient(source, async (client) => {
      while (!stopped) {
        await client.query("insert into api.tasks (user_id, title) values ($1, 'late')", [alice]);
        written += 1;
      }
    });
    await expect.poll(() => written).toBeGreaterThan(0);
    await backUp(home, "--url", source);
    stopped = true;
    await writing;
    expect(listFaults(await runDrill(home))).toEqual([]);
  });

  test("leaves nothing in a database that cannot take it", async () => {
    const home = newHome();
    await run(source, `insert into api.tasks (user_id, title) values ('${alice}', '日本')`);
    await backUp(home, "--url", source);
    const narrow = "encoding 'LATIN1' locale 'C' template template0";
    const target = await database("narrow", "other", narrow);
    const outcome = await rowhouse(["restore", "--url", target], { ROWHOUSE_HOME: home });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/\[restore_failed\] pg_restore failed: .*LATIN1/s);
    const { rows } = await run(target, "select to_regclass('api.tasks') as tasks");
    expect(rows).toEqual([{ tasks: null }]);
  });

  test("gives a role that may not restore it a clear error", async () => {
    const home = newHome();
    await backUp(home, "--url", source);
    await run(server.url, "create role weak login password 'p'");
    const target = await database("weak", "weak");
    await run(server.url, "alter role anonymous set statement_timeout = '9s'");
    const outcome = await rowhouse(["restore", "--url", target], { ROWHOUSE_HOME: home });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/\[restore_failed\] The statements of .*roles\.sql failed/);
    // What is there as the dump has it asks for no right.
    await run(server.url, "alter role anonymous set statement_timeout = '5s'");
    const again = await rowhouse(["restore", "--url", target], { ROWHOUSE_HOME: home });
    expect(again).toMatchObject({ code: 0 });
  });
});
