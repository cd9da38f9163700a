import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { loginUrl, setPassword } from "../../src/stack/login.ts";
import {
  type Answer,
  type Api,
  type Caller,
  caller,
  signIn,
  startApi,
} from "../../src/testing/api.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { refusal } from "./backend.ts";

// A server of its own: the tests stop it, and change what holds for the whole of it.
const password = "canary-password";
let cluster: TestCluster;
let api: Api;
let alice: Caller;

beforeAll(async () => {
  cluster = await startCluster();
  await migrate(cluster.url);
  await setPassword(cluster.url, "authenticator", password);
  await sql(`
    create function api.nap(seconds float8) returns void language sql
    as $$ select pg_sleep(seconds) $$;
    grant execute on function api.nap(float8) to authenticated;
  `);
  api = await startApi(cluster.url, {
    databaseUrl: loginUrl(cluster.url, "authenticator", password),
    pool: 2,
    extra: { PGRST_DB_POOL_ACQUISITION_TIMEOUT: "1" },
  });
  alice = await signIn(api);
});

afterAll(async () => {
  await api.stop();
  await cluster.stop();
});

const sql = (text: string) => withClient(cluster.url, (client) => client.query(text));

/** No connection, a connection lost, no schema cache, a server that shuts down. */
const away = /^(PGRST00[012]|57P01|57P03)$/;

const nap = (seconds: number) => alice.ask("/rpc/nap", { method: "POST", body: { seconds } });

/** How many calls are napping in the database. */
async function napping(count: number): Promise<true | undefined> {
  const { rowCount } = await sql("select from pg_stat_activity where wait_event = 'PgSleep'");
  return rowCount === count ? true : undefined;
}

/** Kills all connections of the API. */
const terminate = () =>
  sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'");

/** Asks until the answer is 200. */
function recovery(): Promise<Answer | undefined> {
  const ask = async () => {
    const answer = await alice.ask("/tasks");
    return answer.status === 200 ? answer : undefined;
  };
  return waitFor(ask, 25, 10_000);
}

test("A start of PostgREST with a wrong password prints so, without the password", async () => {
  const wrong = { databaseUrl: loginUrl(cluster.url, "authenticator", "canary-wrong") };
  const failure = await startApi(cluster.url, wrong).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "postgrest_failed",
    message: expect.stringContaining('password authentication failed for user "authenticator"'),
  });
  expect(String(failure)).not.toContain("canary");
});

test("A user who finds all connections taken gets an error that says so, and the next is served", async () => {
  const slow = [nap(1.6), nap(1.6)];
  expect(await waitFor(() => napping(2), 25, 5000)).toBe(true);
  expect(await alice.ask("/tasks")).toMatchObject({
    status: 504,
    body: {
      code: "PGRST003",
      message: "Timed out acquiring connection from connection pool.",
      details: null,
      hint: null,
    },
  });
  for (const answer of await Promise.all(slow)) expect(answer.status).toBe(204);
  expect(await alice.ask("/tasks")).toMatchObject({ status: 200 });
});

test("A user whose backend was killed at work is asked to try again", async () => {
  const slow = nap(20);
  expect(await waitFor(() => napping(1), 25, 5000)).toBe(true);
  await terminate();
  const answer = await slow;
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("0");
  expect(await recovery()).toMatchObject({ status: 200 });
});

test("A user whose backend was killed while idle is served again", async () => {
  await alice.ask("/tasks");
  await terminate();
  const first = await alice.ask("/tasks");
  // PostgREST 12 learns of the dead connection by using it.
  expect([200, 503]).toContain(first.status);
  if (first.status === 503) expect(first.headers.get("retry-after")).toBe("0");
  expect(await recovery()).toMatchObject({ status: 200, body: [] });
});

test("A user for whom the server has no connection left is asked to try again", async () => {
  await sql("alter role authenticator connection limit 0");
  const refused = async () => {
    await terminate(); // Each time: one that was being made when the limit came may have got in.
    const answer = await alice.ask("/tasks");
    return JSON.stringify(answer.body).includes("too many connections") ? answer : undefined;
  };
  const answer = await waitFor(refused, 25, 5000);
  await sql("alter role authenticator connection limit -1");
  expect(answer).toMatchObject(refusal(503, "PGRST000"));
  expect(answer?.headers.get("retry-after")).toBe("0");
  expect(JSON.stringify(answer?.body)).not.toContain("canary");
  expect(await recovery()).toMatchObject({ status: 200 });
});

// PostgREST 12 names the database's address in these bodies, to anybody, and no setting of it
// changes that: only a proxy in front can.
test("Users are asked to try again while the database is away, and are served when it is back", async () => {
  await cluster.halt();
  for (const someone of [alice, caller(api), alice, caller(api)]) {
    const answer = await someone.ask("/tasks");
    expect(answer).toMatchObject({ status: 503, body: { code: expect.stringMatching(away) } });
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(JSON.stringify(answer.body)).not.toMatch(/canary|authenticator|rowhouse/);
  }
  await cluster.restart();
  expect(await recovery()).toMatchObject({ status: 200, body: [] });
});
