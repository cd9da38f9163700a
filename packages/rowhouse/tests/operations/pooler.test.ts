import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import {
  type Api,
  type Caller,
  caller,
  claimsFor,
  sign,
  signIn,
  startApi,
} from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { emptyFolder } from "../support/adopted.ts";
import { rowhouse } from "../support/cli.ts";
import { canPrepare, type Pooler, startPooler } from "./pgbouncer.ts";

/** Far fewer than PostgREST has clients' ends: each of them serves all users in turn. */
const serverConnections = 2;
const pool = 8;

let databaseUrl: string;
let pooler: Pooler;
let api: Api;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  databaseUrl = await cloneDatabase();
  await withClient(databaseUrl, (client) => client.query(helpers));
  pooler = await startPooler(databaseUrl, { default_pool_size: String(serverConnections) });
  api = await startApi(databaseUrl, {
    databaseUrl: pooler.url,
    pool,
    // The settings of docs/operations.md for a transaction pooler.
    extra: {
      PGRST_DB_CHANNEL_ENABLED: "false",
      ...(canPrepare ? {} : { PGRST_DB_PREPARED_STATEMENTS: "false" }),
      PGRST_DB_POOL_ACQUISITION_TIMEOUT: "2",
    },
  });
  alice = await signIn(api);
  bob = await signIn(api);
});
afterAll(async () => {
  await api.stop();
  await pooler.stop();
});

const helpers = `
  create function api.nap(seconds float8) returns text language sql
  as $$ select pg_sleep(seconds); select 'rested' $$;

  create function api.whoami() returns jsonb stable language sql
  as $$
    select jsonb_build_object(
      'user', request.user_id(),
      'role', current_user,
      'request', current_setting('application_name'),
      'timeout', current_setting('statement_timeout'),
      'pid', pg_backend_pid()
    )
  $$;

  grant execute on function api.nap(float8), api.whoami() to authenticated;
`;

const nap = (user: Caller, seconds: number) =>
  user.ask("/rpc/nap", { method: "POST", body: { seconds } });

/** Runs many requests, some dozens at once. */
async function interleave(count: number, request: (turn: number) => Promise<void>): Promise<void> {
  const turns = Array.from({ length: count }, (_, turn) => turn);
  const worker = async () => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) await request(turn);
  };
  await Promise.all(Array.from({ length: 3 * pool }, worker));
}

test("Two users who share two connections two thousand times are never taken for each other", async () => {
  const pids = new Set<unknown>();
  await interleave(2000, async (turn) => {
    const user = turn % 2 === 0 ? alice : bob;
    const headers = { "x-request-id": `turn-${turn}` };
    const { status, body } = await user.ask("/rpc/whoami", { headers });
    const { pid, ...self } = body as Record<string, unknown>;
    expect([status, self]).toEqual([
      200,
      {
        user: user.id,
        role: "authenticated",
        request: `rowhouse turn-${turn}`,
        timeout: "5s",
      },
    ]);
    pids.add(pid);
  });
  expect(pids.size).toBe(serverConnections);
});

test("Two users who write and read at once through it each see their own rows only", async () => {
  await interleave(400, async (turn) => {
    const user = turn % 2 === 0 ? alice : bob;
    const headers = { prefer: "return=representation" };
    const written = await user.ask("/tasks", { method: "POST", headers, body: { title: user.id } });
    expect(written).toMatchObject({ status: 201, body: [{ user_id: user.id, title: user.id }] });
    const { body } = await user.ask("/tasks?select=user_id,title&limit=5");
    for (const row of body as unknown[]) expect(row).toEqual({ user_id: user.id, title: user.id });
  });
});

test("Nothing of a request is left on a connection for the next one", async () => {
  await interleave(50, async () => void (await alice.ask("/tasks")));
  for (let turn = 0; turn < 4; turn += 1) {
    const { rows } = await withClient(pooler.url, (client) => client.query(leftovers));
    expect(rows).toEqual([
      { role: "authenticator", claims: true, headers: true, timeout: "0", path: '"$user", public' },
    ]);
  }
});

const leftovers = `
  select
    current_user as role,
    coalesce(current_setting('request.jwt.claims', true), '') = '' as claims,
    coalesce(current_setting('request.headers', true), '') = '' as headers,
    current_setting('statement_timeout') as timeout,
    current_setting('search_path') as path
`;

test("The pre-request check refuses the same tokens through it, and anonymous reaches nothing", async () => {
  const { exp: _, ...endless } = claimsFor(alice.id);
  const refused = { status: 401, body: { code: "PT401", details: "token_exp_missing" } };
  await interleave(60, async (turn) => {
    if (turn % 3 === 0) expect(await alice.ask("/tasks?limit=1")).toMatchObject({ status: 200 });
    if (turn % 3 === 1)
      expect(await caller(api, sign(endless)).ask("/tasks")).toMatchObject(refused);
    if (turn % 3 === 2) expect(await caller(api).ask("/tasks")).toMatchObject({ status: 401 });
  });
});

test("Planned counts are refused through it, whoever had the connection before", async () => {
  await interleave(60, async (turn) => {
    const planned = turn % 2 === 0 ? { headers: { prefer: "count=planned" } } : {};
    const refused = { status: 400, body: { code: "PT400", details: "planned_count_refused" } };
    const wanted = turn % 2 === 0 ? refused : { status: 200 };
    expect(await alice.ask("/tasks?limit=1", planned)).toMatchObject(wanted);
  });
});

test("A statement that is too long is stopped at the role's statement_timeout", async () => {
  expect(await nap(alice, 9)).toMatchObject({ status: 500, body: { code: "57014" } });
});

test("When every connection is busy, the rest get a 504, and the next request is served", async () => {
  const answers = await Promise.all(Array.from({ length: 3 * pool }, () => nap(alice, 1)));
  const outcomes = new Set(answers.map(({ status, body }) => `${status} ${readCode(body)}`));
  expect([...outcomes].sort()).toEqual(["200 -", "504 PGRST003"]);
  expect(await bob.ask("/tasks?limit=1")).toMatchObject({ status: 200 });
});

test("When PgBouncer is restarted, users are served again", async () => {
  await pooler.restart();
  const served = async () =>
    (await alice.ask("/tasks?limit=1")).status === 200 ? true : undefined;
  expect(await waitFor(served, 100, 20_000)).toBe(true);
});

test("A new column is served after SIGUSR1, since no notification comes through", async () => {
  const described = async () => JSON.stringify((await alice.ask("/")).body).includes("through_it");
  await withClient(databaseUrl, async (client) => {
    await client.query("alter table api.tasks add column through_it text");
    await client.query("grant select (through_it) on api.tasks to authenticated");
    await client.query("notify pgrst, 'reload schema'");
  });
  await interleave(100, async () => void (await alice.ask("/tasks?limit=1")));
  expect(await described()).toBe(false);
  process.kill(api.server.pid, "SIGUSR1");
  expect(await waitFor(async () => (await described()) || undefined, 50, 10_000)).toBe(true);
});

function readCode(body: unknown): string {
  return typeof body === "object" && body !== null && "code" in body ? String(body.code) : "-";
}

test.each([
  ["takes no options", {}],
  ["drops them", { ignore_startup_parameters: "extra_float_digits, options" }],
])("rowhouse init refuses a pooler that %s", async (_, change) => {
  const other = await startPooler(databaseUrl, change);
  onTestFinished(other.stop);
  const folder = emptyFolder();
  const { code, stderr } = await rowhouse(["init", "--from", other.url], {}, folder);
  expect(stderr).toMatch(/error \[database_refused\].*\nGive the URL of the database itself/);
  expect(code).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});
