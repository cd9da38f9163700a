import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Caller, caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "../../src/testing/backend.ts";
import { errorAnswer } from "../../src/testing/requests.ts";
import { projectRoot } from "../support/project.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { isDown, isUp, see } from "./servers.ts";
import { createRowhouse, type Rowhouse } from "./typed-client.ts";
import { askByHttp2 } from "./wire.ts";

let backend: Backend;
let first: Postgrest;
let second: Postgrest;
let edge: Edge;
let alice: Caller;
beforeAll(async () => {
  backend = await startBackend(
    {},
    `
    create function api.nap(seconds float8) returns boolean language sql stable
    as $$ select pg_sleep(seconds) is not null $$;
    grant execute on function api.nap(float8) to authenticated;
  `,
  );
  [first, second] = await Promise.all([
    startPostgrest(backend.databaseUrl),
    startPostgrest(backend.databaseUrl),
  ]);
  edge = await startEdge({ apis: [first.address, second.address] });
  alice = await signIn(edge);
});
afterAll(async () => {
  await edge.stop();
  await Promise.all([first.stop(), second.stop()]);
  await backend.stop();
});

const cutOff = errorAnswer(502, "EDGE502", { details: "response_lost" });

/** What was asked for and came, and what did not. */
interface Ledger {
  readonly acknowledged: string[];
  readonly failures: unknown[];
  stopped: boolean;
}

/** Writes and reads until stopped, each in several loops: with the typed client, and without any retry. */
function load(db: Rowhouse, plain: Caller) {
  const client: Ledger = { acknowledged: [], failures: [], stopped: false };
  const bare: Ledger = { acknowledged: [], failures: [], stopped: false };
  let made = 0;
  const loop = async (ledger: Ledger, once: () => Promise<string | undefined>) => {
    while (!ledger.stopped) {
      try {
        const title = await once();
        if (title !== undefined) ledger.acknowledged.push(title);
      } catch (error) {
        ledger.failures.push(error);
      }
    }
  };
  const createByClient = async () => {
    made += 1;
    return (await db.tasks.create({ title: `client ${made}` })).title;
  };
  const createBare = async () => {
    made += 1;
    const title = `bare ${made}`;
    const answer = await plain.ask("/tasks", { method: "POST", body: { title } });
    if (answer.status !== 201) throw answer;
    return title;
  };
  const readByClient = async () => void (await db.tasks.list({ limit: 5 }));
  const loops = [
    ...[1, 2, 3, 4].map(() => loop(client, createByClient)),
    ...[1, 2].map(() => loop(client, readByClient)),
    ...[1, 2].map(() => loop(bare, createBare)),
  ];
  return {
    client,
    bare,
    /** Resolves when so many more writes were acknowledged. */
    more: async (count: number) => {
      const total = () => client.acknowledged.length + bare.acknowledged.length;
      const goal = total() + count;
      await expect.poll(total, { timeout: 30_000 }).toBeGreaterThan(goal);
    },
    end: async () => {
      client.stopped = true;
      bare.stopped = true;
      await Promise.all(loops);
    },
  };
}

/** Runs compose/edge.pl, as in the edge's container. */
const runEdge = (...args: string[]) =>
  promisify(execFile)("perl", [join(projectRoot, "compose/edge.pl"), ...args], {
    env: { ...process.env, EDGE_DIRECTORY: edge.dir },
  });

/** The places in the edge that take no requests until told otherwise: bit 8 of their state (HAProxy's management guide). */
async function listDrained(): Promise<string[]> {
  const lines = (await edge.command("show servers state api")).split("\n");
  return lines.filter((line) => (Number(line.split(" ")[6]) & 8) !== 0);
}

test("All PostgRESTs are replaced under load as docs/edge.md says, and no request fails", async () => {
  const { id } = alice;
  const db = createRowhouse({ url: edge.url, token: async () => sign(claimsFor(id)) });
  const { client, bare, more, end } = load(db, alice);
  await more(50);

  const replaced = [first, second];
  const fresh = await Promise.all([0, 1].map(() => startPostgrest(backend.databaseUrl)));
  const addresses = (apis: readonly Postgrest[]) => apis.map(({ address }) => address);
  edge.names.set("postgrest", addresses([...replaced, ...fresh]));
  await Promise.all(fresh.map((api) => isUp(edge, api)));
  for (const old of replaced) {
    // Some of these are its own, and under way when it is drained.
    const slow = Array.from({ length: 8 }, () =>
      alice.ask("/rpc/nap", { method: "POST", body: { seconds: 1 } }),
    );
    await runEdge("drain", old.address);
    const { current, total } = await see(edge, old);
    await more(50);
    expect([current, (await see(edge, old)).total]).toEqual([0, total]);
    await old.stop();
    for (const answer of await Promise.all(slow)) expect(answer).toMatchObject({ status: 200 });
  }
  [first, second] = fresh as [Postgrest, Postgrest];
  edge.names.set("postgrest", addresses(fresh));
  await runEdge("ready");
  expect(await listDrained()).toEqual([]);
  await more(50);
  await end();

  expect([client.failures, bare.failures]).toEqual([[], []]);
  const rows = await backend.sql("select title from api.tasks where user_id = $1", [id]);
  const stored = rows.map(({ title }) => title);
  expect(stored.sort()).toEqual([...client.acknowledged, ...bare.acknowledged].sort());
  process.stdout.write(`${stored.length} writes while PostgRESTs were replaced, none failed\n`);
});

test("An address at which the edge knows no PostgREST is not drained", async () => {
  await expect(runEdge("drain", "192.0.2.1")).rejects.toMatchObject({
    stderr: expect.stringContaining("knows no PostgREST at 192.0.2.1"),
  });
});

/** Kills the PostgREST that works on a nap, and says how many requests the other one got for it. */
async function killBusy(asked: Promise<unknown>): Promise<number> {
  const now = async () => Promise.all([see(edge, first), see(edge, second)]);
  await expect.poll(async () => (await now()).map(({ current }) => current).sort()).toEqual([0, 1]);
  const [busy, other] = (await see(edge, first)).current === 1 ? [first, second] : [second, first];
  const before = (await see(edge, other)).total;
  process.kill(busy.server().pid, "SIGKILL");
  await asked.catch(() => {});
  const asksOfOther = (await see(edge, other)).total - before;
  await busy.server().ended;
  await busy.start();
  await Promise.all([isUp(edge, first), isUp(edge, second)]);
  return asksOfOther;
}

test("A read that is cut is asked of the other PostgREST", async () => {
  await Promise.all([isUp(edge, first), isUp(edge, second)]);
  const asked = alice.ask("/rpc/nap?seconds=1.5");
  expect(await killBusy(asked)).toBe(1);
  expect(await asked).toMatchObject({ status: 200, body: true });
});

test("A write that is cut is asked of no other: it is 502", async () => {
  const body = JSON.stringify({ seconds: 1.5 });
  const byHttp2 = askByHttp2(
    edge,
    {
      ":method": "POST",
      ":path": "/rpc/nap",
      authorization: `Bearer ${sign(claimsFor(alice.id))}`,
      "content-type": "application/json",
      "content-length": body.length,
    },
    [body],
  );
  expect(await killBusy(byHttp2)).toBe(0);
  const answer = await byHttp2;
  expect([answer.status, JSON.parse(answer.body).details]).toEqual([502, "response_lost"]);

  const byHttp1 = alice.ask("/rpc/nap", { method: "POST", text: body });
  expect(await killBusy(byHttp1)).toBe(0);
  expect(await byHttp1).toMatchObject(cutOff);
});

test("A PostgREST more is used when its name gains an address", async () => {
  const third = await startPostgrest(backend.databaseUrl);
  onTestFinished(() => third.stop());
  const addresses = [first, second].map(({ address }) => address);
  edge.names.set("postgrest", [...addresses, third.address]);
  onTestFinished(() => edge.names.set("postgrest", addresses));
  await isUp(edge, third);
  const used = async () => {
    await alice.ask("/tasks?limit=1");
    return (await see(edge, third)).total;
  };
  await expect.poll(used).toBeGreaterThan(0);
});

test("Requests wait while the only PostgREST restarts", async () => {
  const lone = await startPostgrest(backend.databaseUrl);
  const front = await startEdge({ apis: [lone.address] });
  onTestFinished(async () => {
    await front.stop();
    await lone.stop();
  });
  const user = caller(front, sign(claimsFor(alice.id)), alice.id);
  await lone.server().stop();
  // Some come at once, some when the edge has noticed: then it has no server that it takes for ready.
  const create = (title: string) => user.ask("/tasks", { method: "POST", body: { title } });
  const early = [create("early 1"), create("early 2"), user.ask("/tasks?limit=1")];
  await isDown(front, lone);
  const late = [create("late 1"), create("late 2"), user.ask("/tasks?limit=1")];
  await delay(500); // They are under way: nothing shows it, for they have reached nobody.
  await lone.start();
  const answers = await Promise.all([...early, ...late]);
  const failed = answers.filter(({ status }) => status >= 300);
  expect(failed, front.log()).toEqual([]);
});

test("While no PostgREST comes, requests are 503, and none of them is done later", async () => {
  const lone = await startPostgrest(backend.databaseUrl);
  const front = await startEdge({ apis: [lone.address] });
  onTestFinished(async () => {
    await front.stop();
    await lone.stop();
  });
  const user = caller(front, sign(claimsFor(alice.id)), alice.id);
  await lone.server().stop();
  const create = (title: string) => user.ask("/tasks", { method: "POST", body: { title } });
  const early = [create("never early 1"), create("never early 2")];
  await isDown(front, lone);
  const answers = await Promise.all([...early, create("never late")]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 503, body: { code: "EDGE503" } });
  }
  await lone.start();
  await expect.poll(async () => (await user.ask("/tasks?limit=1")).status).toBe(200);
  expect((await user.ask("/tasks?title=like.never*")).body).toEqual([]);
});

test("The edge itself ends what is under way before it stops", async () => {
  const front = await startEdge({ apis: [second.address] });
  const user = caller(front, sign(claimsFor(alice.id)), alice.id);
  const asked = user.ask("/rpc/nap", { method: "POST", body: { seconds: 1.5 } });
  await expect.poll(async () => (await see(front, second)).current).toBe(1);
  process.kill(front.server.pid, "SIGUSR1");
  await expect
    .poll(() => user.ask("/tasks").then(String, ({ cause }) => String(cause?.code)))
    .toBe("ECONNREFUSED");
  expect(await asked).toMatchObject({ status: 200, body: true });
  await front.server.ended;
});
