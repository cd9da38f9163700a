import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { setPassword } from "../../src/stack/login.ts";
import { claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { startCluster, type TestCluster } from "../../src/testing/cluster.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { Ledger } from "./ledger.ts";
import { isDown, isUp, see } from "./servers.ts";
import { createRowhouse } from "./typed-client.ts";

let cluster: TestCluster;
let databaseUrl: string;
let first: Postgrest;
let second: Postgrest;
let edge: Edge;
beforeAll(async () => {
  cluster = await startCluster({ fsync: "on" });
  databaseUrl = inDatabase(cluster.url, "ledger");
  await withClient(cluster.url, (client) => client.query("create database ledger"));
  await migrate(databaseUrl);
  await setPassword(databaseUrl, "authenticator", inject("authenticatorPassword"));
  [first, second] = await Promise.all([startPostgrest(databaseUrl), startPostgrest(databaseUrl)]);
  edge = await startEdge({ apis: [first.address, second.address] });
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all([first?.stop(), second?.stop()]);
  await cluster?.stop();
});

/** Asks for something about each backend of PostgREST, those at work first. */
async function ofBackends<T>(expression: string): Promise<T[]> {
  const { rows } = await withClient(cluster.url, (client) =>
    client.query<{ value: T }>(
      `select ${expression} as value from pg_stat_activity where usename = 'authenticator' order by state = 'active' desc`,
    ),
  );
  return rows.map(({ value }) => value);
}

/** As the kernel does when memory runs out: PostgreSQL ends all others, too, and recovers. */
async function killBackend(): Promise<void> {
  const [pid] = await ofBackends<number>("pid");
  process.kill(pid ?? Number.NaN, "SIGKILL");
}

/** Each by itself, as an administrator does. */
async function terminateBackends(): Promise<void> {
  expect(await ofBackends<boolean>("pg_terminate_backend(pid)")).toContain(true);
}

/** For longer than some calls may take. */
async function hangPostgres(): Promise<void> {
  const { id } = await signIn(edge);
  const impatient = createRowhouse({ url: edge.url, token: tokenOf(id), timeout: 1000 });
  cluster.signal("SIGSTOP");
  try {
    await expect(impatient.tasks.list({ limit: 1 })).rejects.toMatchObject({
      name: "DeadlineError",
    });
  } finally {
    cluster.signal("SIGCONT");
  }
}

/** The other one serves meanwhile. */
async function killPostgrest(ledger: Ledger): Promise<void> {
  first.server().kill();
  await first.server().ended;
  await ledger.grows(50);
  await first.start();
  await isUp(edge, first);
}

/** The edge fails over: once its checks have failed, this one gets no more requests. */
async function hangPostgrest(ledger: Ledger): Promise<void> {
  const { pid } = second.server();
  process.kill(pid, "SIGSTOP");
  try {
    await isDown(edge, second);
    const { total } = await see(edge, second);
    await ledger.grows(50);
    expect((await see(edge, second)).total).toBe(total);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await isUp(edge, second);
}

/** Each time some requests were done and not answered. */
const cutOften = (frontend: string) => async (ledger: Ledger) => {
  for (let turn = 0; turn < 10; turn += 1) {
    await ledger.grows(10);
    await cut(frontend);
  }
};

/**
 * Cuts the requests under way, at least one.
 *
 * @param frontend "edge": between the clients and the edge; "within": between the edge and the PostgRESTs.
 */
async function cut(frontend: string): Promise<void> {
  const underWay = new RegExp(`^(0x[0-9a-f]+):.* fe=${frontend} be=[^<]`, "gm");
  const cutAll = async () => {
    const sessions = (await edge.command("show sess")).matchAll(underWay);
    const answers = await Promise.all(
      Array.from(sessions, ([, session]) => edge.command(`shutdown session ${session}`)),
    );
    return answers.filter((answer) => answer.trim() === "").length;
  };
  await expect.poll(cutAll, { interval: 1, timeout: 15_000 }).toBeGreaterThan(0);
}

const faults: readonly ((ledger: Ledger) => Promise<void>)[] = [
  killBackend,
  cutOften("within"),
  killPostgrest,
  terminateBackends,
  hangPostgrest,
  () => cluster.restart("SIGQUIT"),
  cutOften("edge"),
  hangPostgres,
  () => cluster.restart("SIGKILL"),
];

const tokenOf = (id: string) => async () => sign(claimsFor(id));

/** Pauses long enough for a server to start again. */
const patient = { attempts: 10, baseMs: 1000, minMs: 500, maxMs: 2000 };

test("Through the edge no acknowledged write is lost, twice or half there, whatever ends, hangs or is cut", async () => {
  const { id } = await signIn(edge);
  const connect = () =>
    createRowhouse({ url: edge.url, token: tokenOf(id), retry: patient, timeout: 30_000 });
  const ledger = new Ledger();
  onTestFinished(() => ledger.stop());
  const writers = [1, 2, 3, 4].map((writer) => ledger.write(connect(), writer));
  for (const fault of faults) {
    await ledger.grows(50);
    await fault(ledger);
  }
  await ledger.grows(50);
  ledger.stop();
  await Promise.all(writers);

  const { acknowledged, failures, lost, twice, half, untold } = await ledger.compare(connect());
  process.stdout.write(
    `${faults.length} faults through the edge, ${acknowledged} acknowledged writes, ${failures} failed ones: ` +
      `${lost.length} lost, ${twice.length} twice, ${half.length} half there\n`,
  );
  expect({ lost, twice, half, untold }).toEqual({ lost: [], twice: [], half: [], untold: [] });
}, 120_000);
