import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../src/stack/ports.ts";
import { inHome } from "../support/backup.ts";
import { newHome, type RunningStack, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { ownedTable } from "../support/owned-table.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";

/** Runs the line that a start prints to be tried: the answer. */
function tryIt({ output }: RunningStack): unknown {
  const [, curl = "false"] = /^ +Try it: +(.*)$/m.exec(output()) ?? [];
  return JSON.parse(execFileSync("sh", ["-c", curl], { cwd: projectRoot, encoding: "utf8" }));
}

describe("a first start", () => {
  test("ends with the ready line, above it the data, the token and a curl line that works", async () => {
    const stack = await startStack({ ROWHOUSE_HOME: newHome() });
    const lines = stack.output().trimEnd().split("\n");
    expect(lines.at(-1)).toBe(`Rowhouse is ready: ${stack.url}`);
    expect(stack.output()).toContain(join(stack.home, "data"));
    expect(stack.output()).toContain("npx rowhouse token alice@example.com");

    expect(tryIt(stack)).toMatchObject([{ title: "Say hello", completed: false }]);
  });

  test("keeps a secret of 32 random bytes that only its owner can read", async () => {
    const { home } = await startStack({ ROWHOUSE_HOME: newHome() });
    const file = join(home, "jwt-secret");
    expect(readFileSync(file, "utf8")).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o777).toBe(0o700);
  });
});

describe("the line to try", () => {
  const startWith = async (sql: string) => {
    const home = readyHome();
    await inHome(home, (client) => client.query(`drop table api.tasks; ${sql}`));
    return startStack({ ROWHOUSE_HOME: home });
  };

  test("creates a row in the first owned table that takes a made-up one", async () => {
    const stack = await startWith(`
      ${ownedTable("albums", { columns: "body text not null check (body ~ '^[0-9]{3}x$')" })}
      ${ownedTable("boards")} revoke insert on api.boards from authenticated;
      ${ownedTable("notes", { columns: "labels text[] not null, body text not null check (body in ('it''s'))", insert: "labels, body" })}
    `);
    expect(stack.output()).toContain("/notes ");
    expect(tryIt(stack)).toMatchObject([{ labels: [], body: "it's" }]);
    expect(tryIt(stack)).toMatchObject([{ labels: [], body: "it's" }]);
  });

  test("creates a row that is all defaults", async () => {
    const stack = await startWith(
      ownedTable("notes", { columns: "body text not null default 'hello'" }),
    );
    expect(tryIt(stack)).toMatchObject([{ body: "hello" }]);
  });

  test("reads a table when no row can be made up", async () => {
    const stack = await startWith("");
    expect(tryIt(stack)).toMatchObject([{ email: "alice@example.com" }]);
  });

  test("reads the description when no table can be read", async () => {
    const stack = await startWith("revoke all on api.users from authenticated");
    expect(tryIt(stack)).toMatchObject({ swagger: "2.0" });
  });
});

describe("two stacks", () => {
  test("run side by side with homes and ports of their own", async () => {
    const [one, two] = await Promise.all([startStack(), startStack()]);
    const token = (await rowhouse(["token", "alice@example.com"], one.env)).stdout.trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${one.url}/tasks`, { headers })).status).toBe(200);
    expect((await fetch(`${two.url}/tasks`, { headers })).status).toBe(401);
  });

  test("cannot use one home at once, and the first goes on", async () => {
    const { env, url, home } = await startStack();
    const second = await rowhouse(["start"], { ...env, API_PORT: "1" });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("[home_in_use]");
    expect(second.stderr).toContain(home);
    expect(second.stderr).toContain(url);
    expect((await fetch(url)).status).toBe(200);
  });
});

describe("a start that cannot succeed prints the reason and a remedy, and exits with 1", () => {
  test("when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const home = newHome();
    const { code, stderr } = await rowhouse(["start"], {
      ROWHOUSE_HOME: home,
      API_PORT: String(port),
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error [port_in_use] Port ${port} is in use by another program.\nStop that program, or set API_PORT to a free port.\n`,
    );
    expect(existsSync(join(home, "stack.json"))).toBe(false);
  });

  test("when the data is of another major version, which is left as it is", async () => {
    const home = newHome();
    mkdirSync(join(home, "data"), { recursive: true });
    writeFileSync(join(home, "data", "PG_VERSION"), "14\n");
    const env = { ROWHOUSE_HOME: home, API_PORT: String(await freePort()) };
    const { code, stderr } = await rowhouse(["start"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("[data_other_version]");
    expect(stderr).toContain("is of PostgreSQL 14, and this is PostgreSQL 18");
    expect(readFileSync(join(home, "data", "PG_VERSION"), "utf8")).toBe("14\n");
  });

  test("when the folder cannot be written to", async () => {
    const { code, stderr } = await rowhouse(["start"], { ROWHOUSE_HOME: "/sys/rowhouse" });
    expect(code).toBe(1);
    expect(stderr).toContain("[home_not_writable] Cannot write to the home /sys/rowhouse");
    expect(stderr).toContain("ROWHOUSE_HOME");
  });

  test("when the home is a file", async () => {
    const file = newHome();
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "precious");
    const { code, stderr } = await rowhouse(["start"], { ROWHOUSE_HOME: file });
    expect(code).toBe(1);
    expect(stderr).toContain("[home_not_writable]");
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("when several settings are broken, of all of them at once", async () => {
    const { code, stderr } = await rowhouse(["start"], {
      ROWHOUSE_HOME: newHome(),
      API_PORT: "70000",
      DB_POOL: "many",
      JWT_SECRET: "short",
      DATABASE_URL: "mysql://db",
      POSTGREST_BIN: "/nowhere/postgrest",
      CORS_ORIGINS: "example.com",
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      [
        "error [settings_invalid] The settings have faults:",
        '  API_PORT is "70000": give a whole number from 1 to 65535',
        "  DATABASE_URL is no URL like postgres://user:password@host:5432/database",
        "  JWT_SECRET has 5 bytes: give at least 32 random bytes",
        '  DB_POOL is "many": give a whole number from 1 to 1000',
        "  CORS_ORIGINS must list origins like https://app.example.com, separated by commas",
        '  POSTGREST_BIN is "/nowhere/postgrest", where no file is',
        "Correct them in the environment or in .env; .env.example explains each.",
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["jwt-secret", "", "secret_cannot_sign"],
    ["jwt-secret", "short", "secret_cannot_sign"],
    ["postgres-password", "", "database_refused"],
    ["postgres-password", "short", "database_refused"],
  ])("when the secret file %s holds %j", async (file, content, code) => {
    const home = readyHome();
    writeFileSync(join(home, file), content);
    const env = { ROWHOUSE_HOME: home, API_PORT: String(await freePort()) };
    const outcome = await rowhouse(["start"], env);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain(`error [${code}]`);
    expect(outcome.stderr).toMatch(/(Put|Restore) the file/);
    expect(readFileSync(join(home, file), "utf8")).toBe(content);
  });

  test.each([24, 64, 90])("when only %i files may be open", (limit) => {
    const script = `ulimit -n ${limit}; exec "$0" "$@"`;
    const args = ["-c", script, process.execPath, rowhouseCommand, "start"];
    const env = { ...process.env, ROWHOUSE_HOME: newHome(), NO_COLOR: "1" };
    const { status, stderr } = spawnSync("sh", args, { cwd: projectRoot, env, encoding: "utf8" });
    expect(stderr).toMatch(/^error \[too_many_files\] .*\nRaise the limit, as with `ulimit .*\n$/);
    expect(status).toBe(1);
  });

  test("when PostgREST cannot run, and leaves no server behind", async () => {
    const home = newHome();
    const { code, stderr } = await rowhouse(["start"], {
      ROWHOUSE_HOME: home,
      POSTGREST_BIN: "/bin/false",
      API_PORT: "39999",
    });
    expect(code).toBe(1);
    expect(stderr).toContain("[postgrest_failed] PostgREST did not start: exit code 1");
    expect(existsSync(join(home, "stack.json"))).toBe(false);
    expect(existsSync(join(home, "data", "postmaster.pid"))).toBe(false);
  });
});
