import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { UnavailableError } from "../../../client/index.ts";
import { type DatabaseProxy, startDatabaseProxy } from "./database-proxy.ts";
import { failure, type Session, startSession } from "./session.ts";
import { cloneDatabase, startApi, withClient } from "./support.ts";

type Client = Parameters<Parameters<typeof withClient>[1]>[0];

/** Objects that wait for a lock, which the tests hold: a call of hang(), and a commit. */
const prepare = `
  create function api.hang() returns integer language plpgsql as $$
  begin
    perform pg_advisory_xact_lock(4711);
    return 1;
  end $$;
  grant execute on function api.hang() to authenticated;
  create function private.hang_at_commit() returns trigger language plpgsql security definer as $$
  begin
    perform pg_advisory_xact_lock(4711);
    return null;
  end $$;
  create constraint trigger hang_at_commit after insert on api.tasks
  deferrable initially deferred for each row when (new.title = 'slow')
  execute function private.hang_at_commit();
`;

let databaseUrl: string;
let proxy: DatabaseProxy;
let alice: Session;
beforeAll(async () => {
  databaseUrl = await cloneDatabase();
  await withClient(databaseUrl, (client) => client.query(prepare));
  proxy = await startDatabaseProxy(databaseUrl);
});
afterAll(() => proxy.stop());
// Of its own for each test: PostgREST answers 503 for a while after it lost a connection.
beforeEach(async () => {
  const api = await startApi(proxy.url);
  onTestFinished(() => api.stop());
  alice = await startSession(api);
});

/** Runs an action while the lock is held; the action learns of the session that waits for it. */
function whileLocked<T>(action: (admin: Client) => Promise<T>): Promise<T> {
  return withClient(databaseUrl, async (admin) => {
    await admin.query("select pg_advisory_lock(4711)");
    return action(admin);
  });
}

/** The backend that waits for the lock, when there is one. */
async function waitForBackend(admin: Client): Promise<{ pid: number; client_port: number }> {
  for (;;) {
    const { rows } = await admin.query<{ pid: number; client_port: number }>(`
      select pid, client_port
      from pg_stat_activity
      where datname = current_database() and wait_event = 'advisory'`);
    if (rows[0] !== undefined) return rows[0];
  }
}

/** Ends the backend, as an administrator or a deploy does. */
async function terminate(admin: Client): Promise<void> {
  const { pid } = await waitForBackend(admin);
  await admin.query("select pg_terminate_backend($1)", [pid]);
}

/** Breaks the connection without a word, as the kernel does when it kills the backend. */
async function breakConnection(admin: Client): Promise<void> {
  proxy.break((await waitForBackend(admin)).client_port);
}

/** Pauses long enough for PostgREST to connect again. */
const patient = { attempts: 6, baseMs: 500, minMs: 100, maxMs: 1000 };

const unlock = (admin: Client) => admin.query("select pg_advisory_unlock_all()");

describe("A user whose call meets a lost connection to the database gets an UnavailableError:", () => {
  const create = () => alice.client({ retry: false }).tasks.create({ title: "slow" });
  const call = () => alice.client({ retry: false }).rpc("hang" as "me");

  test.each([
    ["a function, ended by an administrator", call, terminate, 503, "PGRST001"],
    ["a function, its backend killed", call, breakConnection, 503, "PGRST001"],
    ["a commit, ended by an administrator", create, terminate, 503, "57P01"],
    ["a commit, its backend killed", create, breakConnection, 400, "connection_lost"],
  ])("%s", async (_, request, end, status, code) => {
    const error = await whileLocked(async (admin) => {
      const failed = failure(request());
      await end(admin);
      return failed;
    });
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ status, code });
    expect(error.message).toMatch(/ Try again later\.$/);
  });
});

describe("A user's create whose connection to the database is lost at the commit", () => {
  test.each([
    ["by an administrator, which undoes it,", terminate],
    ["without a word, though it commits,", breakConnection],
  ])("%s is sent again, and makes one row", async (_, end) => {
    const row = await whileLocked(async (admin) => {
      const created = alice.client({ retry: patient }).tasks.create({ title: "slow" });
      await end(admin);
      await unlock(admin);
      return created;
    });
    expect((await alice.db.tasks.list()).items).toEqual([row]);
    expect(alice.proxy.requests.map(({ method }) => method).slice(0, 2)).toEqual(["POST", "POST"]);
  });
});

/** Breaks the connections of PostgREST's pool, while none is used; its listener's stays. */
async function breakIdleConnections(): Promise<void> {
  await withClient(databaseUrl, async (admin) => {
    const { rows } = await admin.query<{ client_port: number }>(`
      select client_port
      from pg_stat_activity
      where datname = current_database() and application_name like 'PostgREST%' and query !~* 'listen'`);
    expect(rows).not.toEqual([]);
    for (const { client_port } of rows) proxy.break(client_port);
  });
}

describe("A user's call whose connection to the database broke while it was idle", () => {
  test("is an UnavailableError", async () => {
    await alice.db.tasks.list();
    await breakIdleConnections();
    const error = await failure(alice.client({ retry: false }).tasks.list());
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ status: 400, code: "connection_lost" });
  });

  test("is sent again where that is safe", async () => {
    const db = alice.client({ retry: patient });
    const row = await db.tasks.create({ title: "t" });
    await breakIdleConnections();
    expect((await db.tasks.list()).items).toEqual([row]);
  });
});

test("A user's function whose connection is lost is not called again", async () => {
  await whileLocked(async (admin) => {
    const failed = failure(alice.db.rpc("hang" as "me"));
    await breakConnection(admin);
    await failed;
  });
  expect(alice.proxy.requests).toHaveLength(1);
});
