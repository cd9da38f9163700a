import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOrCreateUser, readSettings, type Stack, signToken, startStack } from "rowhouse";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClientOptions,
  createRowhouse,
  DeadlineError,
  type Rowhouse,
} from "../../../client/index.ts";
import { failure } from "./session.ts";
import { freePort, withClient } from "./support.ts";

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
  connect = (options) =>
    createRowhouse({ url: stack.apiUrl, token, retry: patient, timeout: 40_000, ...options });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(home, { recursive: true });
});

/** Pauses long enough for the stack to start a server again, also on a busy machine. */
const patient = { attempts: 10, baseMs: 1000, minMs: 3000, maxMs: 5000 };

/** The process id of a server that the stack runs now. */
function server(name: "postgres" | "postgrest"): number {
  return JSON.parse(readFileSync(join(home, "stack.json"), "utf8")).servers[name].pid;
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
  });
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
