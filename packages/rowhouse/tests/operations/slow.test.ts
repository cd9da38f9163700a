import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import { jwtSecret, openHome, postgresPassword } from "../../src/stack/home.ts";
import { runningState } from "../../src/stack/lock.ts";
import { embeddedUrl } from "../../src/stack/postgres.ts";
import { type RunningStack, rowhouse, startStack } from "../support/cli.ts";

/** Alice, on a stack whose every statement is logged as slow. */
async function startWithAlice() {
  const stack = await startStack({ SLOW_MS: "0" });
  const token = (await rowhouse(["token", "alice@example.com"], stack.env)).stdout.trim();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${stack.url}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        ...init.headers,
      },
    });
  return { stack, token, ask };
}

const readLog = ({ home }: RunningStack) => readFileSync(join(home, "postgres.log"), "utf8");
const body = (value: object) => ({ method: "POST", body: JSON.stringify(value) });

test("A DBA finds slow and failed requests in the log by their id, and no body, token or password", async () => {
  const { stack, token, ask } = await startWithAlice();
  const headers = { "x-request-id": "req-slow" };
  const task = { id: "0198c0de-0000-7000-8000-000000000000", title: "canary-title" };
  expect((await ask("/tasks", { ...body(task), headers })).status).toBe(201);
  expect((await ask("/tasks?title=eq.canary-filter", { headers })).status).toBe(200);
  for (const broken of [task, { ...task, title: "canary".repeat(99) }, { title: null }]) {
    const answer = await ask("/tasks", { ...body(broken), headers: { "x-request-id": "req-bad" } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  expect((await ask("/tasks", { method: "POST", body: '{"title": "canary' })).status).toBe(400);
  expect((await ask("/tasks", { headers: { authorization: "Bearer canary" } })).status).toBe(401);

  // Past row-level security PostgreSQL's error holds the whole row that breaks a rule.
  const { databasePort = 0 } = (await runningState(openHome(stack.home))) ?? {};
  const owner = embeddedUrl(postgresPassword(openHome(stack.home)), databasePort, "rowhouse");
  const asOwner = withClient(owner, (client) =>
    client.query("insert into api.tasks (user_id, title, description) values ($1, '', $2)", [
      task.id,
      "canary-description",
    ]),
  );
  await expect(asOwner).rejects.toMatchObject({ detail: expect.stringContaining("canary") });

  const logged = () =>
    /rowhouse req-bad ERROR: .*null value/.test(readLog(stack)) ? true : undefined;
  expect(await waitFor(logged, 20, 5000)).toBe(true);
  const log = readLog(stack);
  expect(log).toMatch(
    /rowhouse req-slow LOG: {2}duration: [\d.]+ ms {2}(execute|parse|bind) .*pgrst/,
  );
  expect(log).toMatch(/rowhouse req-bad ERROR: {2}duplicate key/);
  // Where PostgreSQL puts the values of parameters, and the key or row at fault.
  expect(log).not.toMatch(/ (DETAIL|CONTEXT): /);
  const secrets = [token, token.split(".")[1] ?? "", jwtSecret(openHome(stack.home))];
  for (const word of ["canary", "alter role authenticator", ...secrets]) {
    expect(log).not.toContain(word);
    expect(readFileSync(join(stack.home, "postgrest.log"), "utf8")).not.toContain(word);
  }
});

test("A DBA lists the slowest statements, and sees how one is planned for a user", async () => {
  const { stack, ask } = await startWithAlice();
  await ask("/rpc/me", body({}));
  for (let turn = 0; turn < 3; turn += 1) await ask("/tasks?title=eq.canary&order=id.desc");
  await ask("/tasks", body({ title: "canary" }));

  const port = (await runningState(openHome(stack.home)))?.databasePort ?? 0;
  const password = postgresPassword(openHome(stack.home));
  await withClient(embeddedUrl(password, port, "rowhouse"), async (client) => {
    await client.query("set pg_stat_statements.track = 'all'");
    await client.query("do 'begin perform 1 as canary_inside; end'");
  });
  await withClient(embeddedUrl(password, port, "postgres"), (client) =>
    client.query("select 1 as canary_elsewhere"),
  );

  const slow = async (...args: string[]) => rowhouse(["slow", ...args], stack.env);
  const list = async (): Promise<
    { statement: string; calls: number; share: number; role: string }[]
  > => JSON.parse((await slow("-n", "99", "--json")).stdout);
  const statements = await list();
  const isList = /FROM "api"."tasks" +WHERE/;
  // Asked for anew before each use: whatever runs meanwhile moves the places.
  const place = async (pattern: RegExp) =>
    String(1 + (await list()).findIndex(({ statement }) => pattern.test(statement)));
  expect(statements.find(({ statement }) => isList.test(statement))).toMatchObject({
    calls: 3,
    role: "authenticated",
  });
  expect(statements.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1.001);
  // pg_stat_statements keeps what sets a password as it stands, unless a setting forbids it.
  const everything = await slow("-n", "999", "--all", "--json");
  expect(everything.stdout).not.toMatch(/canary|alter role/i);

  const planned = await slow("--plan", await place(isList), "--as", "alice@example.com");
  expect(planned.stdout).toMatch(
    /(Index .*tasks_pkey|Seq Scan on tasks)[\s\S]*user_id = .*request\.jwt\.claims/,
  );
  const insert = await place(/INSERT INTO "api"."tasks"/);
  expect((await slow("--plan", insert, "--as", "alice@example.com")).stdout).toContain("Insert on");
  expect((await slow("--plan", await place(isList), "--as", "anonymous")).stderr).toContain(
    "[plan_unknown] PostgreSQL cannot plan this statement: permission denied",
  );
  expect((await slow("--plan", "99999", "--as", "anonymous")).stderr).toContain(
    "[statement_unknown]",
  );
  expect((await slow("--plan", "1")).code).toBe(1);
});
