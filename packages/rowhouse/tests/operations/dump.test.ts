import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findTool } from "../../src/backup/dump/tools.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { setPassword } from "../../src/stack/login.ts";
import { backUp, editManifest, flipBit, listFaults, runDrill } from "../support/backup.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { type DebianServer, hasDebianServer, startDebianServer } from "../support/debian-server.ts";
import { people } from "../support/people.ts";

test("without a pg_dump of the server's version, a backup says which is needed", async () => {
  await expect(findTool("pg_dump", 99)).rejects.toMatchObject({
    code: "tool_missing",
    message: expect.stringMatching(/^PostgreSQL 99 needs pg_dump of version 99 or later/),
  });
});

// `apt install postgresql-15` brings a server and the pg_dump that fits it.
describe.runIf(hasDebianServer)("with Debian's PostgreSQL 15", () => {
  let server: DebianServer;

  beforeAll(async () => {
    server = await startDebianServer();
  });

  afterAll(() => server.stop());

  async function database(name: string): Promise<string> {
    await withClient(server.url, (client) => client.query(`create database ${name}`));
    return inDatabase(server.url, name);
  }

  async function filled(name: string): Promise<string> {
    const url = await database(name);
    await migrate(url);
    await setPassword(url, "authenticator", randomUUID());
    await withClient(url, (client) =>
      client.query(`${people}; alter database ${name} set statement_timeout = '7s'`),
    );
    return url;
  }

  test("a database is dumped, proven on a scratch server, and restored into an empty one", async () => {
    const url = await filled("whole");
    const home = newHome();
    const backup = await backUp(home, "--url", url);
    const roles = readFileSync(join(backup, "roles.sql"), "utf8");
    expect(roles).toContain("create role authenticator login noinherit");
    expect(roles).not.toMatch(/password|SCRAM/i);

    const drill = await runDrill(home);
    expect(listFaults(drill)).toEqual([]);
    expect(drill.code).toBe(0);

    const target = await database("target");
    const env = { ROWHOUSE_HOME: home };
    expect(await rowhouse(["restore", "--url", target], env)).toMatchObject({ code: 0 });
    const { rows } = await withClient(target, (client) =>
      client.query("select count(*)::int as count from api.tasks"),
    );
    expect(rows).toEqual([{ count: 2 }]);

    const again = await rowhouse(["restore", "--url", target], env);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/restore_refused.*is not empty/);
  });

  test("a damaged dump, and one that lacks rows, fail the drill", async () => {
    const url = await filled("damaged");
    const home = newHome();
    const backup = await backUp(home, "--url", url);
    editManifest(backup, (manifest) => ({
      ...manifest,
      tables: manifest.tables.map((table) =>
        table.name === "api.users" ? { ...table, rows: "99" } : table,
      ),
    }));
    expect(listFaults(await runDrill(home))).toEqual(["rows: api.users has 4 rows, and had 99"]);
    const file = join(backup, "database.dump");
    writeFileSync(file, flipBit(readFileSync(file)));
    const restored = await rowhouse(["restore", "--url", await database("damaged_target")], {
      ROWHOUSE_HOME: home,
    });
    expect(restored.stderr).toMatch(/\[backup_damaged\].*database\.dump was changed/);
    expect(listFaults(await runDrill(home))).toEqual([
      "checksums: database.dump was changed: its checksum is another",
    ]);
    rmSync(file);
    expect(listFaults(await runDrill(home))).toEqual(["checksums: database.dump is missing"]);
  });

  test("a role under row-level security cannot make a backup that would lack rows", async () => {
    const url = new URL(await filled("hidden"));
    await withClient(url.href, (client) =>
      client.query("create role reader login password 'reader'; grant pg_read_all_data to reader"),
    );
    url.username = "reader";
    url.password = "reader";
    const home = newHome();
    const { code, stderr } = await rowhouse(["backup", "--url", url.href], { ROWHOUSE_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[rows_hidden\].*does not see every row of api\./);
    expect(readdirSync(join(home, "backups"))).toEqual([]);
  });
});
