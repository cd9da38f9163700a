import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { assertServed } from "../../src/schema/deploy/served.ts";
import { withClient } from "../../src/stack/database.ts";
import { loopback } from "../../src/stack/ports.ts";
import type { ApiOptions } from "../../src/stack/postgrest.ts";
import { type Caller, signIn, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { rowhouse, startStack } from "../support/cli.ts";
import { copyProject } from "../support/project.ts";

const add = "alter table api.tasks add column extra text";
const column = `${add};\ngrant select (extra) on api.tasks to authenticated`;
const reload = "notify pgrst, 'reload schema'";

/** A project with one migration more than its database has, and the API on that. */
async function pendingDeploy(up: string, options: Partial<ApiOptions> = {}) {
  const url = await cloneDatabase();
  const api = await startApi(url, options);
  onTestFinished(() => api.stop());
  const project = projectWith(`-- migrate:up\n${up};\n`);
  const migrate = (...args: string[]) =>
    rowhouse(["migrate", ...args], { DATABASE_URL: url }, project);
  return { url, api, migrate };
}

function projectWith(migration: string): string {
  const project = copyProject();
  const down = "\n-- migrate:down\nalter table api.tasks drop column extra;\n";
  writeFileSync(join(project, "db/migrations/20991231000000_extra.sql"), migration + down);
  return project;
}

/** Whether a migration waits for its lock on the tasks. */
async function isWaiting(url: string): Promise<boolean> {
  const sql = `
    select from pg_locks
    where relation = 'api.tasks'::regclass and mode = 'AccessExclusiveLock' and not granted
  `;
  const { rowCount } = await withClient(url, (client) => client.query(sql));
  return rowCount !== 0;
}

async function becomes(url: string, waiting: boolean): Promise<void> {
  const there = async () => ((await isWaiting(url)) === waiting ? true : undefined);
  if (!(await waitFor(there, 20, 20_000))) throw new Error(`It never became waiting: ${waiting}`);
}

/** Reads and writes tasks all the time, and counts how that was answered. */
function load(user: Caller): { end: () => Promise<Record<string, number>> } {
  const seen: Record<string, number> = {};
  let ended = false;
  const work = async (turn: number): Promise<void> => {
    while (!ended) {
      const { status, body } = await (turn % 2 === 0
        ? user.ask("/tasks?select=id,title&limit=5")
        : user.ask("/tasks", { method: "POST", body: { title: "under load" } }));
      const kind = status < 300 ? "served" : `${status} ${JSON.stringify(body)}`;
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
  };
  const workers = Promise.all(Array.from({ length: 8 }, (_, turn) => work(turn)));
  const end = async () => {
    ended = true;
    await workers;
    return seen;
  };
  onTestFinished(async () => void (await end()));
  return { end };
}

test("A deploy under load that finds the table locked tries again, and no request fails", async () => {
  const { url, api, migrate } = await pendingDeploy(`${column}; ${reload}`);
  const users = load(await signIn(api));
  const outcome = await withClient(url, async (session) => {
    await session.query("begin; select from api.tasks");
    const deploy = migrate("--api", api.url);
    // Its first attempt waits and gives up; so does the second, which the lock's end may meet.
    for (const waiting of [true, false, true]) await becomes(url, waiting);
    await session.query("commit");
    return deploy;
  });
  const seen = await users.end();
  expect(Object.keys(seen)).toEqual(["served"]);
  expect(seen.served).toBeGreaterThan(100);
  expect(outcome).toMatchObject({ code: 0, stdout: "applied 20991231000000_extra.sql\n" });
  expect(outcome.stderr).toContain("holds a lock that the migration needs: retrying in 1 s");
});

test("A deploy that never gets its lock gives up, and leaves everything as it was", async () => {
  const { url, api, migrate } = await pendingDeploy(`${column}; ${reload}`);
  const alice = await signIn(api);
  const outcome = await withClient(url, async (session) => {
    await session.query("begin; select from api.tasks");
    return migrate("--lock-timeout", "1", "--retries", "1");
  });
  expect(outcome).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/retrying in 1 s \(1 of 1\).*\[migration_failed\]/s),
  });
  expect(await alice.ask("/tasks?select=extra")).toMatchObject({ status: 400 });
  expect(await migrate()).toMatchObject({ code: 0 });
});

test("What runs outside a transaction is not retried, and the error names what stays", async () => {
  const url = await cloneDatabase();
  const up =
    "-- migrate:up transaction:false\ncreate table api.half ();\nalter table api.tasks add column extra text;\n";
  const project = projectWith(up);
  const outcome = await withClient(url, async (session) => {
    await session.query("begin; select from api.tasks");
    return rowhouse(["migrate", "--lock-timeout", "1"], { DATABASE_URL: url }, project);
  });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain("outside a transaction");
  expect(outcome.stderr).not.toContain("retrying");
});

test("A deploy whose schema PostgREST does not take up fails, and passes after SIGUSR1", async () => {
  const deaf = { extra: { PGRST_DB_CHANNEL_ENABLED: "false" } };
  const { url, api, migrate } = await pendingDeploy(`${column}; ${reload}`, deaf);
  const outcome = await migrate("--api", api.url);
  expect(outcome).toMatchObject({
    code: 1,
    stdout: "applied 20991231000000_extra.sql\n",
    stderr: expect.stringMatching(
      /\[api_stale\].*for "tasks" it answers 400 Column 'extra'.*SIGUSR1/s,
    ),
  });
  // A proxy that refuses every request does not show what PostgREST serves.
  const proxy = createServer((_, response) => response.writeHead(401).end("Who are you?"));
  proxy.listen(0, loopback);
  onTestFinished(() => void proxy.close());
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  await expect(assertServed(url, `http://${loopback}:${port}`, 1)).rejects.toMatchObject({
    code: "api_stale",
    message: expect.stringContaining("it answers 401 Who are you?"),
  });
  process.kill(api.server.pid, "SIGUSR1");
  expect(await migrate("--api", api.url)).toMatchObject({ code: 0 });
});

test("A migration that forgets to notify PostgREST is found out by the stack at home", async () => {
  const project = projectWith("-- migrate:up\nselect;\n");
  const stack = await startStack({}, "start", project);
  const later = `-- migrate:up\n${column};\n\n-- migrate:down\n`;
  writeFileSync(join(project, "db/migrations/20991231000001_later.sql"), later);
  expect(await rowhouse(["migrate"], stack.env, project)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("[api_stale]"),
  });
});

test("A dry run prints each statement's locks, and changes nothing", async () => {
  const up = `${column}; create index on api.tasks (user_id, extra); create table api.notes (id int)`;
  const { url, migrate } = await pendingDeploy(up);
  const { stdout, code } = await migrate("--dry-run", "--json");
  expect(code).toBe(0);
  const {
    pending: [pending],
    faults,
  } = JSON.parse(stdout);
  expect(faults).toEqual([]);
  const locks = pending.steps.map((step: { locks: object[] }) => step.locks);
  expect(locks).toEqual([
    [{ table: "api.tasks", mode: "AccessExclusiveLock", blocks: "reads and writes" }],
    [],
    [{ table: "api.tasks", mode: "ShareLock", blocks: "writes" }],
    [],
  ]);
  expect((await migrate("--dry-run")).stdout).toContain(
    `${add};\n-- locks api.tasks (ACCESS EXCLUSIVE): blocks reads and writes\n`,
  );
  const there = "select to_regclass('api.notes') as notes";
  expect((await withClient(url, (client) => client.query(there))).rows).toEqual([{ notes: null }]);
});
