import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import { type Caller, caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "../edge/edge.ts";
import { type Replicated, startReplicated } from "./replicated.ts";

let database: Replicated;
let writer: Postgrest;
let reader: Postgrest;
let edge: Edge;
beforeAll(async () => {
  database = await startReplicated();
  [writer, reader] = await Promise.all([
    startPostgrest(database.primaryUrl, { PGRST_DB_URI: database.urlFor("read-write") }),
    startPostgrest(database.primaryUrl, {
      PGRST_DB_URI: database.urlFor("prefer-standby"),
      PGRST_DB_CHANNEL_ENABLED: "false",
    }),
  ]);
  edge = await startEdge({
    apis: [],
    scale: "replicas.haproxy.cfg",
    hosts: { postgrest: [writer.address], postgrest_read: [reader.address] },
  });
  await areUp("writes", "reads");
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all([writer?.stop(), reader?.stop()]);
  await database?.stop();
});

/** How many requests a backend of the edge has got so far. */
async function requestsTo(backend: "writes" | "reads"): Promise<number> {
  const stat = await edge.command("show stat");
  return Number(new RegExp(`^${backend},BACKEND,.*$`, "m").exec(stat)?.[0].split(",")[7]);
}

async function areUp(...backends: string[]): Promise<void> {
  for (const backend of [...backends, "api"]) {
    const up = new RegExp(`^${backend},(api|read|write)\\d,.*,UP,`, "m");
    const isUp = async () => (up.test(await edge.command("show stat")) ? true : undefined);
    if (!(await waitFor(isUp, 20, 20_000))) throw new Error(`${backend} is not up: ${edge.log()}`);
  }
}

/**
 * What the edge remembers of who has written is gone. HAProxy keeps an entry while the request is there
 * that made it, which can be a moment longer than its answer takes.
 */
async function forget(): Promise<void> {
  const remembered = async () => {
    await edge.command("clear table wrote");
    return edge.command("show table wrote");
  };
  await expect.poll(remembered, { interval: 5 }).toMatch(/used:0$/m);
}

async function query(url: string, text: string): Promise<void> {
  await withClient(url, (client) => client.query(text));
}

/** The replica receives, and does not show. */
async function pauseReplay(): Promise<void> {
  await query(database.replicaUrl, "select pg_wal_replay_pause()");
  onTestFinished(() => query(database.replicaUrl, "select pg_wal_replay_resume()"));
}

/** Resolves when the replica shows all that was written until now. */
async function caughtUp(): Promise<void> {
  const lag = () =>
    withClient(database.primaryUrl, async (client) => {
      const { rows } = await client.query(
        "select pg_current_wal_insert_lsn() <= replay_lsn as done from pg_stat_replication",
      );
      return rows[0]?.done;
    });
  await expect.poll(lag, { timeout: 20_000 }).toBe(true);
}

async function create(user: Caller, title: string): Promise<string> {
  const { status } = await user.ask("/tasks", { method: "POST", body: { title } });
  if (status !== 201) throw new Error(`creating answered ${status}`);
  return title;
}

async function titles(user: Caller): Promise<string[]> {
  const { status, body } = await user.ask("/tasks?select=title");
  if (status !== 200) throw new Error(`reading answered ${status}: ${JSON.stringify(body)}`);
  return (body as { title: string }[]).map(({ title }) => title);
}

/** Writes and reads again, some times over: how many reads did not show the write. */
async function countStale(user: Caller, times: number, between = async () => {}) {
  let stale = 0;
  for (let turn = 0; turn < times; turn += 1) {
    const title = await create(user, `turn ${turn}`);
    await between();
    if (!(await titles(user)).includes(title)) stale += 1;
  }
  return stale;
}

test("Who has not written reads from the replica; who has, from the primary, however late the replica is", async () => {
  const [alice, bob] = [await signIn(edge), await signIn(edge)];
  await create(alice, "before");
  await caughtUp();
  await forget();
  await pauseReplay();

  const before = await requestsTo("reads");
  expect(await titles(alice)).toEqual(["before"]);
  expect(await requestsTo("reads")).toBe(before + 1);
  expect(await countStale(alice, 30)).toBe(0);
  // Bob's reads still go to the replica.
  expect(await titles(bob)).toEqual([]);
  expect(await requestsTo("reads")).toBe(before + 2);

  // Without what the edge remembers each of them would be stale: so the replica is late indeed.
  expect(await countStale(alice, 5, forget)).toBe(5);
});

test("Every method that may write goes to the primary, and what is refused counts for nobody", async () => {
  const alice = await signIn(edge);
  await caughtUp();
  await forget();
  const before = [await requestsTo("writes"), await requestsTo("reads")] as const;
  const statuses = [
    await alice.ask("/rpc/me", { method: "POST" }),
    await alice.ask("/tasks?title=eq.none", { method: "PATCH", body: { title: "other" } }),
    await alice.ask("/tasks?title=eq.none", { method: "DELETE" }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 204, 204]);
  expect(await requestsTo("writes")).toBe(before[0] + 3);

  await forget();
  expect((await alice.ask("/tasks", { method: "HEAD" })).status).toBe(200);
  expect(await requestsTo("reads")).toBe(before[1] + 1);
  // A forged token that names alice is 401, and her reads stay where they were.
  const forged = caller(edge, sign(claimsFor(alice.id), "another-secret-that-is-long-enough"));
  expect((await forged.ask("/rpc/me", { method: "POST" })).status).toBe(401);
  await titles(alice);
  expect(await requestsTo("reads")).toBe(before[1] + 2);
});

test("Under remote_apply no read is stale, even where the edge remembers nobody", async () => {
  await synchronous();
  const alice = await signIn(edge);
  expect(await countStale(alice, 30, forget)).toBe(0);
});

test("When no replica is left, the primary reads", async () => {
  const alice = await signIn(edge);
  await caughtUp();
  await forget();
  await reader.server().stop();
  expect(await titles(alice)).toEqual([]);
  await reader.start();
  await areUp("reads");
});

test("Under load the primary is killed and the replica promoted: no acknowledged write is lost", async () => {
  await synchronous();
  const users = await Promise.all([1, 2, 3, 4].map(() => signIn(edge)));
  const ledgers = users.map((user) => ({ user, acknowledged: [] as string[] }));
  const count = () => ledgers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  let stopped = false;
  let [refused, longest, last] = [0, 0, performance.now()];
  const loops = ledgers.map(async ({ user, acknowledged }, number) => {
    for (let turn = 0; !stopped; turn += 1) {
      try {
        acknowledged.push(await create(user, `user ${number} turn ${turn}`));
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      } catch {
        refused += 1;
      }
    }
  });
  const more = async (number: number) => {
    const goal = count() + number;
    await expect.poll(count, { timeout: 45_000 }).toBeGreaterThan(goal);
  };
  await more(60);
  database.primary.kill();
  await database.primary.ended;
  const before = count();
  await query(database.replicaUrl, "select pg_promote()");
  await more(60);
  stopped = true;
  await Promise.all(loops);

  const lost: string[] = [];
  for (const { user, acknowledged } of ledgers) {
    await forget();
    const stored = new Set(await titles(user));
    lost.push(...acknowledged.filter((title) => !stored.has(title)));
  }
  expect(lost).toEqual([]);
  process.stdout.write(
    `${before} writes acknowledged before the failover, ${count() - before} after, 0 lost, ${refused} refused; ${Math.round(longest)} ms without one\n`,
  );
});

/** From now on a write is acknowledged when the replica shows it; until the test ends. */
async function synchronous(): Promise<void> {
  await query(database.primaryUrl, "alter system set synchronous_standby_names = 'replica'");
  await query(database.primaryUrl, "alter system set synchronous_commit = 'remote_apply'");
  await query(database.primaryUrl, "select pg_reload_conf()");
  const state = () =>
    withClient(database.primaryUrl, async (client) => {
      const { rows } = await client.query(
        "select sync_state, current_setting('synchronous_commit') as level from pg_stat_replication",
      );
      return rows[0];
    });
  await expect
    .poll(state, { timeout: 20_000 })
    .toEqual({ sync_state: "sync", level: "remote_apply" });
}
