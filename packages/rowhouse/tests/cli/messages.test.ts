import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeRehearsal } from "../../src/access/rehearse/text.ts";
import { refuse } from "../../src/commands/db/migration.ts";
import { readStatus } from "../../src/health/status/status.ts";
import { describeStatus } from "../../src/health/status/text.ts";
import { withClient } from "../../src/stack/database.ts";
import { readSettings } from "../../src/stack/settings.ts";
import { migratedClone } from "../../src/testing/database.ts";
import { newHome, readyHome, rowhouse, startStack } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";

test("types before the first start say that there is no database, and change no file", async () => {
  const project = copyProject();
  const file = join(project, "client/database.types.ts");
  const types = readFileSync(file, "utf8");
  const { code, stderr } = await rowhouse(["types"], { ROWHOUSE_HOME: newHome() }, project);
  expect(stderr).toMatch(/error \[home_empty\]/);
  expect(code).toBe(1);
  expect(readFileSync(file, "utf8")).toBe(types);
});

test("types of a database without the schemas that are served say so", async () => {
  const url = await migratedClone();
  await withClient(url, (client) => client.query("drop schema api cascade"));
  const { stderr } = await rowhouse(["types"], { DATABASE_URL: url }, copyProject());
  expect(stderr).toMatch(/error \[database_not_migrated\] The database has no schema api/);
});

test("a server that ends while a command works is the server's end, and no bug", async () => {
  const url = await migratedClone();
  const killed = withClient(url, (client) =>
    client.query("select pg_terminate_backend(pg_backend_pid())"),
  );
  await expect(killed).rejects.toMatchObject({ code: "database_unreachable" });
});

test("a token with an emptied secret is refused, naming the file", async () => {
  const home = readyHome();
  writeFileSync(join(home, "jwt-secret"), "");
  const { stderr } = await rowhouse(["token", "alice@example.com"], { ROWHOUSE_HOME: home });
  expect(stderr).toContain(`error [secret_cannot_sign] The secret in ${join(home, "jwt-secret")}`);
});

test("a token for any sub is signed where the database refuses the login, with a note", async () => {
  const url = new URL(await migratedClone());
  url.username = "no_such_role";
  const env = { DATABASE_URL: url.href, ROWHOUSE_HOME: readyHome() };
  const { code, stdout, stderr } = await rowhouse(["token", "--sub", "42"], env);
  expect(stderr).toMatch(/^Signed without a look at the role: .* refused us: /m);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
});

test("a start that cannot sign tokens does not advertise the command", async () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const JWT_SECRET = JSON.stringify({ ...publicKey.export({ format: "jwk" }), kid: "one" });
  const stack = await startStack({ ROWHOUSE_HOME: readyHome(), JWT_SECRET });
  expect(stack.output()).toContain("A token:   from your identity provider");
  expect(stack.output()).toContain("Bearer $TOKEN");
  expect(stack.output()).not.toContain("rowhouse token");
});

test("what a refusal says to add can be pasted into a shell", () => {
  const hazard = { kind: "anonymous", object: "api.f(text)", message: "It opens api.f." } as const;
  expect(() => refuse([hazard], {})).toThrow(
    expect.objectContaining({
      remedy: "Nothing was written. If it is intended, add: --allow-anonymous 'api.f(text)'",
    }),
  );
});

test("a role that may not see what others do gets that answer, and no zero", async () => {
  const url = new URL(await migratedClone());
  const role = `plain_${url.pathname.slice(1)}`;
  await withClient(url.href, async (client) => {
    await client.query(`create role ${role} login password 'plain'`);
    await client.query("grant select on public.schema_migrations to public");
  });
  const own = new URL(url);
  own.username = role;
  own.password = "plain";
  await withClient(url.href, async (other) => {
    const env = { ROWHOUSE_HOME: readyHome(), DATABASE_URL: own.href };
    const { database, ...status } = await readStatus(readSettings(env));
    expect(database.hidden).toBe(true);
    expect(database.pool).toBeUndefined();
    expect(database.connections.map(({ application }) => application)).toContain("of other roles");
    const text = describeStatus({ database, ...status }).join("\n");
    expect(text).not.toMatch(/Connections: 0|no transaction is open/);
    expect(text).toContain("pg_read_all_stats");
    await other.query(`drop role ${role}`).catch(() => undefined);
  });
});

test("a rehearsal counts the users that it says it checked", () => {
  const effect = (who: string, gained = 0, userId: string | null = who) => ({
    who,
    userId,
    gained,
    lost: 0,
    kept: 1,
    examples: { gained: [], lost: [] },
  });
  const side = (sql: string) => ({ sql, text: sql });
  const change = {
    table: "tasks",
    fullName: "api.tasks",
    action: "select",
    role: "authenticated",
    before: side("a"),
    after: side("b"),
    columnsGained: [],
    columnsLost: [],
    effects: [
      effect("alice@example.com", 1),
      effect("bob@example.com"),
      effect("a new user", 0, null),
    ],
    isEmpty: false,
    isNewTable: false,
    obstacle: null,
  } as never;
  const users = { sampled: 2, total: 2 };
  const lines = describeRehearsal({
    changes: [change],
    functions: [],
    users,
    gains: true,
    unclear: false,
  });
  expect(lines).toContain("    no change for 1 more user and a new user");
  expect(lines).toContain("Checked 2 of 2 users.");
});

test("dev says when a trouble is over", async () => {
  const project = copyProject();
  const file = join(project, "sql/api/tasks.sql");
  const sql = readFileSync(file, "utf8");
  const stack = await startStack({ ROWHOUSE_HOME: readyHome() }, "dev", project);
  writeFileSync(file, `${sql}\nselect nothing;`);
  await stack.prints(/declaration_failed/);
  writeFileSync(file, sql);
  await stack.prints(/^Resolved: the database is what the files declare\.$/m);
});
