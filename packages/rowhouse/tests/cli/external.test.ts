import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { freePort } from "../../src/stack/ports.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { newHome, rowhouse, startStack } from "../support/cli.ts";

let cluster: TestCluster;
let databaseUrl: string;

beforeAll(async () => {
  cluster = await startCluster();
  await sql("create database somewhere");
  databaseUrl = inDatabase(cluster.url, "somewhere");
});
afterAll(() => cluster.stop());

const sql = (text: string) => withClient(cluster.url, (client) => client.query(text));

/** The variables of a stack on the other server. */
const variables = (change: Record<string, string> = {}) => ({
  ROWHOUSE_HOME: newHome(),
  DATABASE_URL: databaseUrl,
  AUTHENTICATOR_PASSWORD: "p@ss w/rd:?#",
  ...change,
});

describe("a stack on a server that is not its own", () => {
  test("migrates it, lets PostgREST in, and serves", async () => {
    const stack = await startStack(variables());
    const token = (await rowhouse(["token", "alice@x.org"], stack.env)).stdout.trim();
    const me = await fetch(`${stack.url}/rpc/me`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await me.json()).toMatchObject({ email: "alice@x.org" });
    expect(Object.keys(stack.servers())).not.toContain("postgres");
  });

  test("shows no password, neither at the start nor in its status", async () => {
    const stack = await startStack(variables());
    const { stdout } = await rowhouse(["status", "--json"], stack.env);
    const password = new URL(databaseUrl).password;
    expect(stack.output() + stdout).not.toContain(`:${password}@`);
    expect(stack.output() + stdout).not.toContain("p@ss");
    expect(JSON.parse(stdout)).toMatchObject({
      apiUrl: stack.url,
      database: { postgres: expect.any(String) },
    });
  });

  test("asks for --yes before it rolls back", async () => {
    await migrate(databaseUrl);
    const env = variables();
    const refused = await rowhouse(["rollback"], env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("[not_confirmed]");
    const { stdout } = await rowhouse(["status", "--json"], env);
    expect(JSON.parse(stdout).migrations).not.toContainEqual(
      expect.objectContaining({ applied: false }),
    );
    expect((await rowhouse(["rollback", "--yes"], env)).code).toBe(0);
  });

  test("does not sign in a user for an owner who is under row-level security", async () => {
    await migrate(databaseUrl);
    await sql("create role plain login createrole password 'plain'");
    const url = new URL(databaseUrl);
    [url.username, url.password] = ["plain", "plain"];
    await withClient(databaseUrl, (client) =>
      client.query("grant usage on schema api to plain; grant select on api.users to plain"),
    );
    const { code, stderr } = await rowhouse(
      ["token", "a@x.org"],
      variables({ DATABASE_URL: url.href }),
    );
    expect(code).toBe(1);
    expect(stderr).toContain("[users_hidden]");
  });
});

describe("a start is refused with a remedy", () => {
  test("when AUTHENTICATOR_PASSWORD is missing", async () => {
    const { code, stderr } = await rowhouse(["start"], variables({ AUTHENTICATOR_PASSWORD: "" }));
    expect(code).toBe(1);
    expect(stderr).toContain("[settings_invalid] AUTHENTICATOR_PASSWORD is missing");
  });

  test("when the owner's password is wrong, without showing it", async () => {
    const url = new URL(databaseUrl);
    url.password = "canary";
    const { code, stderr } = await rowhouse(["start"], variables({ DATABASE_URL: url.href }));
    expect(code).toBe(1);
    expect(stderr).toContain("[database_refused]");
    expect(stderr).toContain('password authentication failed for user "postgres"');
    expect(stderr).toContain("Correct the password in its URL.");
    expect(stderr).not.toContain("canary");
  });

  test("when the owner's password is missing", async () => {
    const url = new URL(databaseUrl);
    url.password = "";
    const { code, stderr } = await rowhouse(["start"], variables({ DATABASE_URL: url.href }));
    expect(code).toBe(1);
    expect(stderr).toContain("[database_refused]");
    expect(stderr).toContain("The server asks for a password: put it into the URL.");
  });

  test("when the database does not exist", async () => {
    const url = inDatabase(databaseUrl, "nowhere");
    const { code, stderr } = await rowhouse(["start"], variables({ DATABASE_URL: url }));
    expect(code).toBe(1);
    expect(stderr).toContain('database "nowhere" does not exist');
    expect(stderr).toContain("Create the database");
  });

  test("when the server is away", async () => {
    const url = new URL(databaseUrl);
    url.port = String(await freePort());
    const { code, stderr } = await rowhouse(["start"], variables({ DATABASE_URL: url.href }));
    expect(code).toBe(1);
    expect(stderr).toContain("[database_unreachable]");
    expect(stderr).toContain("ECONNREFUSED");
    expect(stderr).toContain("Check that the server runs");
  });

  test("when authenticator has another password that the owner may not change", async () => {
    await migrate(databaseUrl);
    await sql(
      "create role modest login bypassrls password 'modest'; grant all on database somewhere to modest",
    );
    await withClient(databaseUrl, (client) =>
      client.query(
        "grant create, usage on schema public to modest; grant select on public.schema_migrations to modest",
      ),
    );
    const url = new URL(databaseUrl);
    [url.username, url.password] = ["modest", "modest"];
    const env = variables({ DATABASE_URL: url.href, AUTHENTICATOR_PASSWORD: "another" });
    const { code, stderr } = await rowhouse(["start"], env);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "[database_refused] The password of authenticator is not AUTHENTICATOR_PASSWORD",
    );
  });
});

test("a stack whose server goes away answers with an error, and serves again when it is back", async () => {
  const stack = await startStack(variables());
  const token = (await rowhouse(["token", "alice@x.org"], stack.env)).stdout.trim();
  const tasks = () =>
    fetch(`${stack.url}/tasks`, { headers: { authorization: `Bearer ${token}` } });
  await cluster.halt();
  await expect.poll(async () => (await tasks()).status).toBe(503);
  await cluster.restart();
  await expect.poll(async () => (await tasks()).status, { timeout: 20_000 }).toBe(200);
});
