import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOrCreateUser, readSettings, type Stack, signToken, startStack } from "rowhouse";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  type ClientOptions,
  createRowhouse,
  DeadlineError,
  type Rowhouse,
} from "../../../client/index.ts";
import { failure } from "./session.ts";
import { freePort, waitFor, withClient } from "./support.ts";

/** A whole stack, supervised as `npm start` does it, with a home of its own. */
const home = mkdtempSync(join(tmpdir(), "rowhouse-home-"));
let stack: Stack;
let connect: (options?: Partial<ClientOptions>) => Rowhouse;

beforeAll(async () => {
  const port = String(await freePort());
  const settings = readSettings({ ROWHOUSE_HOME: home, API_PORT: port, AUTH: "off" });
  stack = await startStack(settings, () => {});
  const email = "alice@example.com";
  const id = await findOrCreateUser(stack.databaseUrl, email);
  const token = signToken(settings, { id, email });
  connect = (options) => createRowhouse({ url: stack.apiUrl, token, retry: patient, ...options });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(home, { recursive: true });
});

/** Pauses long enough for the stack to start a server again. */
const patient = { attempts: 10, baseMs: 1000, minMs: 500, maxMs: 2000 };

/** The process id of a server that the stack runs now. */
function server(name: "postgres" | "postgrest"): number {
  return JSON.parse(readFileSync(join(home, "stack.json"), "utf8")).servers[name];
}

function listChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

/** Sends a signal to PostgreSQL and all its processes, as a suspended machine stops them. */
function signalPostgres(signal: NodeJS.Signals): void {
  const pid = server("postgres");
  for (const one of [pid, ...listChildren(pid)]) process.kill(one, signal);
}

/** Kills a backend of PostgREST as the kernel does when memory runs out. */
async function killBackend(): Promise<void> {
  const pid = await withClient(stack.databaseUrl, async (admin) => {
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where usename = 'authenticator' order by state = 'active' desc",
    );
    return rows[0]?.pid;
  }).catch(() => undefined); // It recovers still from the fault before.
  if (pid === undefined) throw new Error("PostgREST has no backend.");
  process.kill(pid, "SIGKILL");
}

/** Stops PostgreSQL until a call has met its deadline. */
async function hang(): Promise<void> {
  signalPostgres("SIGSTOP");
  try {
    expect(await failure(connect({ timeout: 1000 }).tasks.count())).toBeInstanceOf(DeadlineError);
  } finally {
    signalPostgres("SIGCONT");
  }
}

test("A user whose PostgreSQL hangs gets a DeadlineError, and is served when it goes on", async () => {
  await hang();
  expect(await connect().tasks.list()).toEqual({ items: [], next: undefined });
});

test("A user is served by the next call after the kernel killed a backend, and has all rows", async () => {
  const db = connect();
  const row = await db.tasks.create({ title: "before" });
  await killBackend();
  expect(await db.tasks.get(row.id)).toEqual(row);
  await db.tasks.delete(row.id);
});

async function serves(): Promise<true | undefined> {
  const answer = await fetch(stack.apiUrl).catch(() => undefined);
  return answer?.ok ? true : undefined;
}

/** What the writers were told, and what they have tried. */
class Ledger {
  readonly acknowledged = new Map<string, string>();
  readonly tried = new Set<string>();
  failed = 0;
  stopped = false;

  /** Creates one row after the other until stopped; waits after a failed one, as a person does. */
  async write(db: Rowhouse, writer: number): Promise<void> {
    for (let row = 0; !this.stopped; row += 1) {
      const title = `row ${row} of writer ${writer}`;
      this.tried.add(title);
      const created = await db.tasks.create({ title }).catch(() => undefined);
      if (created !== undefined) this.acknowledged.set(created.id, created.title);
      else {
        this.failed += 1;
        await waitFor(serves, 25, 30_000);
      }
    }
  }

  /** Resolves when so many more rows were acknowledged. */
  async grows(by: number): Promise<void> {
    const goal = this.acknowledged.size + by;
    const reached = () => (this.acknowledged.size >= goal ? true : undefined);
    expect(await waitFor(reached, 5, 30_000)).toBe(true);
  }
}

test("No acknowledged write is lost, and none is there twice, whatever ends or hangs", async () => {
  const ledger = new Ledger();
  onTestFinished(() => {
    ledger.stopped = true;
  });
  const writers = [1, 2, 3, 4].map((writer) => ledger.write(connect(), writer));
  const kill = async (name: "postgres" | "postgrest") => void process.kill(server(name), "SIGKILL");
  const faults = [killBackend, () => kill("postgrest"), hang, () => kill("postgres")];
  // Twice: the stack gives up a server that ends five times within a minute.
  const rounds = 2;
  for (let round = 0; round < rounds; round += 1) {
    for (const fault of faults) {
      await ledger.grows(50);
      await fault();
    }
  }
  await ledger.grows(50);
  ledger.stopped = true;
  await Promise.all(writers);

  const rows = new Map<string, string[]>();
  for await (const { id, title } of connect().tasks.all()) {
    rows.set(title, [...(rows.get(title) ?? []), id]);
  }
  const { acknowledged, tried, failed } = ledger;
  const lost = [...acknowledged].filter(([id, title]) => !rows.get(title)?.includes(id));
  const twice = [...rows].filter(([, ids]) => ids.length > 1);
  const counts = `${acknowledged.size} acknowledged writes, ${failed} failed ones`;
  const outcome = `${lost.length} lost, ${twice.length} twice`;
  process.stdout.write(`${counts}, ${rounds * faults.length} faults: ${outcome}\n`);
  expect(lost).toEqual([]);
  expect(twice).toEqual([]);
  expect([...rows.keys()].filter((title) => !tried.has(title))).toEqual([]);
});
