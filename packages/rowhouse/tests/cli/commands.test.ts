import { generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import jwt from "jsonwebtoken";
import { describe, expect, test } from "vitest";
import { inHome } from "../support/backup.ts";
import { newHome, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { migrationFiles } from "../support/project.ts";

/** By their files: options.ts is no command. */
const commands = readdirSync(join(import.meta.dirname, "../../src/commands"))
  .filter((file) => file.endsWith(".ts") && file !== "options.ts")
  .map((file) => basename(file, ".ts"));

describe("the help", () => {
  test("lists every command with one line", async () => {
    const { code, stdout } = await rowhouse([], {});
    expect(code).toBe(0);
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands)
      expect(stdout).toMatch(new RegExp(`^  ${command} .*  \\w`, "m"));
  });

  test.each(["start", "rollback", "why", "db"])("of %s shows its usage", async (command) => {
    const { code, stdout } = await rowhouse([command, "--help"], {});
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: rowhouse ${command}`);
  });

  test("is pointed at when a command is mistyped", async () => {
    const { code, stderr } = await rowhouse(["strat"], {});
    expect(code).toBe(1);
    expect(stderr).toContain("unknown command 'strat'");
    expect(stderr).toContain("Did you mean start?");
  });
});

describe("rowhouse token", () => {
  test("prints a signed JWT and nothing else, also when no stack runs", async () => {
    const env = { ROWHOUSE_HOME: readyHome() };
    const { code, stdout } = await rowhouse(["token", "alice@example.com"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = jwt.decode(stdout.trim(), { json: true });
    expect(claims).toMatchObject({
      role: "authenticated",
      email: "alice@example.com",
      aud: "rowhouse",
      iss: "rowhouse",
    });
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(3600);
  });

  test("refuses an address that several users have, with their ids", async () => {
    const ids = ["a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002"];
    const home = readyHome();
    await inHome(home, (client) =>
      client.query("insert into api.users (id, email) select unnest($1::uuid[]), 'dan@x.org'", [
        ids,
      ]),
    );
    const { code, stdout, stderr } = await rowhouse(["token", "dan@x.org"], {
      ROWHOUSE_HOME: home,
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(
      `[user_ambiguous] Several users have the email address dan@x.org: ${ids.join(", ")}.`,
    );
  });

  test("makes a user once, also when asked twice at the same time", async () => {
    const { env, url } = await startStack();
    const ask = (email: string) => rowhouse(["token", email, "--expires-in", "1d"], env);
    const outcomes = await Promise.all([ask("eve@x.org"), ask("eve@x.org"), ask("mallory@x.org")]);
    const [eve, eveAgain, mallory] = outcomes.map(({ stdout }) => stdout.trim());
    const subjects = [eve, eveAgain, mallory].map((token) => jwt.decode(token ?? "")?.sub);
    expect(subjects[0]).toBe(subjects[1]);
    expect(subjects[0]).not.toBe(subjects[2]);
    const me = await fetch(`${url}/users`, { headers: { authorization: `Bearer ${eve}` } });
    expect(await me.json()).toMatchObject([{ id: subjects[0], email: "eve@x.org" }]);
  });

  test.each([
    [["token", "alice"], "It must look like alice@example.com."],
    [["token", "a@x.org", "--expires-in", "soon"], "Give a number and a unit"],
    [["token", "a@x.org", "--expires-in", "0s"], "Give a number and a unit"],
    [["token", "a@x.org", "--expires-in", "2d"], "JWT_MAX_LIFETIME is 86400 s"],
    [["token"], "give an email address, or --sub and --claims"],
  ])("refuses %j", async (args, message) => {
    const home = newHome();
    const { code, stdout, stderr } = await rowhouse(args, { ROWHOUSE_HOME: home });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
    expect(existsSync(home)).toBe(false);
  });

  test("says that the database is not migrated yet", async () => {
    const { code, stderr } = await rowhouse(["token", "a@x.org"], { ROWHOUSE_HOME: newHome() });
    expect(code).toBe(1);
    expect(stderr).toContain("[database_not_migrated]");
    expect(stderr).toContain("npx rowhouse migrate");
  });

  test("cannot sign with a public key", async () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const env = {
      ROWHOUSE_HOME: newHome(),
      JWT_SECRET: JSON.stringify(publicKey.export({ format: "jwk" })),
    };
    const { code, stderr } = await rowhouse(["token", "a@x.org"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("[secret_cannot_sign]");
    expect(existsSync(join(env.ROWHOUSE_HOME, "data"))).toBe(false);
  });
});

describe("rowhouse migrate, rollback and status", () => {
  test("work on the home's database while no stack runs", async () => {
    const env = { ROWHOUSE_HOME: newHome() };
    const up = await rowhouse(["migrate"], env);
    expect(up.stdout.trim().split("\n")).toHaveLength(migrationFiles.length);
    expect(up.stdout).toMatch(/^applied 20261125090000_roles_and_schemas\.sql$/m);
    expect((await rowhouse(["migrate"], env)).stdout).toBe(
      "Nothing to do: every migration is applied.\n",
    );

    expect((await rowhouse(["rollback"], env)).stdout).toBe(
      `rolled back ${migrationFiles.at(-1)?.split("_")[0]}\n`,
    );
    const more = await rowhouse(["rollback", String(migrationFiles.length)], env);
    expect(more.code).toBe(1);
    expect(more.stderr).toContain(
      `Nothing was rolled back. Give at most ${migrationFiles.length - 1}.`,
    );
    expect((await rowhouse(["rollback", "all"], env)).stdout.trim().split("\n")).toHaveLength(
      migrationFiles.length - 1,
    );
    expect((await rowhouse(["rollback"], env)).stdout).toBe(
      "Nothing to do: no migration is applied.\n",
    );
    const status = await rowhouse(["status", "--json"], env);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout).migrations[0].applied).toBe(false);
  });

  test("work on the running stack's database, and the API follows", async () => {
    const stack = await startStack();
    const { stdout, code } = await rowhouse(["status"], stack.env);
    expect(code).toBe(0);
    expect(stdout).toContain(`API:         ${stack.url}`);
    const token = (await rowhouse(["token", "a@x.org"], stack.env)).stdout.trim();
    const tasks = async () =>
      (await fetch(`${stack.url}/tasks`, { headers: { authorization: `Bearer ${token}` } })).status;

    expect(await tasks()).toBe(200);
    const steps = migrationFiles.length - migrationFiles.findIndex((file) => /_tasks/.test(file));
    await rowhouse(["rollback", String(steps)], stack.env);
    await expect.poll(tasks).toBe(404);
    await rowhouse(["migrate"], stack.env);
    await expect.poll(tasks).toBe(200);
  });

  test.each([["0"], ["-1"], ["some"]])("refuse to roll back %s steps", async (steps) => {
    const { code, stderr } = await rowhouse(["rollback", "--", steps], {
      ROWHOUSE_HOME: newHome(),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("Give a whole number from 1");
  });
});
