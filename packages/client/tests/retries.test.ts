import { getEventListeners } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  AbortedError,
  ConflictError,
  DeadlineError,
  UnavailableError,
} from "../../../client/index.ts";
import { collect, failure, type Session, startSession } from "./session.ts";
import {
  answer,
  type Backend,
  cut,
  type Fault,
  hold,
  newId,
  reset,
  startBackend,
  truncate,
} from "./support.ts";

let api: Backend;
let alice: Session;
beforeAll(async () => {
  api = await startBackend(
    {},
    `
    alter table api.tasks add column due timestamptz;
    grant select (due), insert (due) on api.tasks to authenticated;
  `,
  );
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
});

const sent = () => alice.proxy.requests.length;
const later = (status: number, seconds: string) =>
  answer(status, { headers: { "retry-after": seconds } });
const deadlock = answer(500, { body: { code: "40P01", message: "deadlock detected" } });
const serialization = answer(500, { body: { code: "40001", message: "could not serialize" } });

/** A response of PostgREST with an error of PostgreSQL. */
const failing = (status: number, code: string, message = "it failed") =>
  answer(status, { body: { code, details: null, hint: null, message } });

const passing: [string, Fault][] = [
  ["its connection breaks before", reset],
  ["its answer is lost", cut],
  ["its answer is cut off in the middle", truncate],
  ["it meets 408", answer(408)],
  ["it meets 429", later(429, "0")],
  ["it meets 502 with a page", answer(502, { body: "<html>Bad gateway</html>" })],
  ["it meets 503", later(503, "0")],
  ["it meets 504", answer(504)],
  ["it meets 520", answer(520)],
  ["it meets a deadlock", deadlock],
  ["it meets a serialization failure", serialization],
  ["it meets a lost connection of PostgREST", failing(400, "", "")],
  ["it meets a server that starts", failing(500, "57P03")],
  ["it meets a server that crashes", failing(500, "57P02")],
];

describe.each(passing)("A user's call is retried when %s:", (_, fault) => {
  beforeEach(() => alice.proxy.next(fault, fault));

  test("a create, which makes one row and returns it", async () => {
    const row = await alice.db.tasks.create({ title: "once" });
    expect(row).toMatchObject({ title: "once", user_id: alice.id });
    expect((await alice.db.tasks.list()).items).toEqual([row]);
  });

  test("a list", async () => {
    expect(await alice.db.tasks.list()).toEqual({ items: [], next: undefined });
    expect(sent()).toBe(3);
  });

  test("a read of postgrest-js", async () => {
    expect((await alice.db.rest.from("tasks").select().throwOnError()).data).toEqual([]);
    expect(sent()).toBe(3);
  });

  test("a call of me", async () => {
    expect(await alice.db.me()).toMatchObject({ id: alice.id });
    expect(sent()).toBe(3);
  });
});

describe("A user's other reads are retried, too:", () => {
  test.each([
    ["get", (id: string) => alice.db.tasks.get(id), { title: "t" }],
    ["count", () => alice.db.tasks.count(), 1],
    ["all", () => collect(alice.db.tasks.all()), [{ title: "t" }]],
  ])("%s", async (_, read, wanted) => {
    const { id } = await alice.db.tasks.create({ title: "t" });
    alice.proxy.next(reset, answer(503));
    const result = await read(id);
    if (typeof wanted === "number") expect(result).toBe(wanted);
    else expect(result).toMatchObject(wanted);
  });
});

describe("A user's create whose reply is lost", () => {
  test("may be sent until the attempts are over, and makes one row", async () => {
    alice.proxy.next(cut, cut, cut);
    const rows = await alice.db.tasks.createMany([{ title: "one" }, { title: "two" }]);
    expect(rows.map(({ title }) => title)).toEqual(["one", "two"]);
    expect(await alice.db.tasks.count()).toBe(2);
  });

  test("returns rows in the order given, though there are more than one URL can hold", async () => {
    alice.proxy.next(cut);
    const titles = Array.from({ length: 250 }, (_, at) => `t${at}`);
    const rows = await alice.db.tasks.createMany(titles.map((title) => ({ title })));
    expect(rows.map(({ title }) => title)).toEqual(titles);
    expect(await alice.db.tasks.count()).toBe(250);
    for (const { query } of alice.proxy.requests) expect(`${query}`.length).toBeLessThan(8000);
  });

  test("returns the row when its id was given", async () => {
    alice.proxy.next(cut);
    const row = { id: newId(), title: "mine", completed: true };
    expect(await alice.db.tasks.create(row)).toMatchObject(row);
  });

  test("returns the row when the database formats a value in its own way", async () => {
    alice.proxy.next(cut);
    const row = { title: "t", due: "2026-11-21 12:00:00Z" }; // a column of this test's database
    expect(await alice.db.tasks.create(row)).toMatchObject({ due: "2026-11-21T12:00:00+00:00" });
  });

  test("is an UnavailableError when every reply is lost, and there is one row", async () => {
    alice.proxy.next(cut, cut, cut, cut);
    expect(await failure(alice.db.tasks.create({ title: "t" }))).toBeInstanceOf(UnavailableError);
    expect(await alice.db.tasks.count()).toBe(1);
  });
});

describe("A user's create with an id that is taken is a ConflictError, and no success,", () => {
  test.each<[string, Fault[]]>([
    ["when all goes well", []],
    ["when the connection breaks before", [reset]],
    ["when its answer is lost", [cut]],
    ["when the server is away for a moment", [answer(503)]],
  ])("%s", async (_, faults) => {
    const row = await alice.db.tasks.create({ title: "first" });
    alice.proxy.next(...faults);
    const again = alice.db.tasks.create({ id: row.id, title: "second" });
    expect(await failure(again)).toBeInstanceOf(ConflictError);
    expect(await alice.db.tasks.get(row.id)).toEqual(row);
  });

  test("also when it holds the same", async () => {
    const row = { id: newId(), title: "t" };
    await alice.db.tasks.create(row);
    expect(await failure(alice.db.tasks.create(row))).toBeInstanceOf(ConflictError);
  });

  test("nor are several rows of which one is taken", async () => {
    const { id } = await alice.db.tasks.create({ title: "first" });
    alice.proxy.next(reset);
    const rows = [{ title: "new" }, { id, title: "second" }];
    expect(await failure(alice.db.tasks.createMany(rows))).toBeInstanceOf(ConflictError);
    expect(await alice.db.tasks.count()).toBe(1);
  });
});

test.each(passing)("A user's update is never sent twice: %s", async (_, fault) => {
  const row = await alice.db.tasks.create({ title: "old" });
  const before = sent();
  alice.proxy.next(fault);
  const error = await failure(alice.db.tasks.update(row.id, { title: "new" }));
  expect(error.name).toMatch(/^(UnavailableError|RateLimitedError)$/);
  expect(sent()).toBe(before + 1);
});

test.each(passing)("A user's function is never called twice: %s", async (_, fault) => {
  alice.proxy.next(fault);
  await failure(alice.db.rpc("me"));
  alice.proxy.next(fault);
  await failure(Promise.resolve(alice.db.rest.rpc("me").throwOnError()));
  expect(sent()).toBe(2);
});

test.each(["insert", "delete"] as const)(
  "A user's %s by postgrest-js is never sent twice",
  async (write) => {
    alice.proxy.next(reset);
    const tasks = alice.db.rest.from("tasks");
    const call =
      write === "insert" ? tasks.insert({ title: "t" }) : tasks.delete().eq("id", newId());
    await failure(Promise.resolve(call.throwOnError()));
    expect(sent()).toBe(1);
  },
);

describe("A user's delete", () => {
  test.each<[string, Fault]>([
    ["whose reply is lost", cut],
    ["whose reply is cut off", truncate],
    ["that does not arrive at first", reset],
  ])("%s resolves, and the row is gone", async (_, fault) => {
    const row = await alice.db.tasks.create({ title: "t" });
    alice.proxy.next(fault);
    await alice.db.tasks.delete(row.id, { ifMatch: row.updated_at });
    expect(await alice.db.tasks.count()).toBe(0);
  });

  test("of a row that is not there is an error, also when the server was too busy at first", async () => {
    alice.proxy.next(answer(429));
    expect(await failure(alice.db.tasks.delete(newId()))).toMatchObject({ code: "no_row" });
    expect(sent()).toBe(2);
  });
});

test.each([400, 401, 403, 404, 409, 413, 422, 500, 501])(
  "A user's read is not retried when it meets %i",
  async (status) => {
    alice.proxy.next(answer(status));
    expect(await failure(alice.db.tasks.list())).toMatchObject({ status });
    expect(sent()).toBe(1);
  },
);

test.each([
  ["a limit of the configuration, on PostgREST 12.0", failing(503, "53400")],
  ["the same, since 12.2", failing(500, "53400")],
  ["a statement timeout", failing(500, "57014")],
  ["an internal error", failing(500, "XX000")],
])("A user's read is not retried when it meets %s", async (_, fault) => {
  alice.proxy.next(fault);
  expect(await failure(alice.db.tasks.list())).toBeInstanceOf(UnavailableError);
  expect(sent()).toBe(1);
});

test("A user's create is sent again when it meets a standby, which changed nothing", async () => {
  alice.proxy.next(failing(405, "25006", "cannot execute INSERT in a read-only transaction"));
  const row = await alice.db.tasks.create({ title: "t" });
  alice.proxy.next(failing(405, "25006"));
  const again = alice.db.tasks.create({ id: row.id, title: "t" });
  expect(await failure(again)).toMatchObject({ name: "ConflictError", uncertain: false });
});

describe("A user's call ends with the last error", () => {
  test.each([
    ["after four attempts", {}, 4],
    ["after as many attempts as it may make", { attempts: 2 }, 2],
  ])("%s", async (_, options, attempts) => {
    alice.proxy.always(answer(503));
    const db = alice.client({ retry: { baseMs: 1, minMs: 1, maxMs: 5, ...options } });
    expect(await failure(db.tasks.list())).toMatchObject({ status: 503 });
    expect(sent()).toBe(attempts);
  });

  test("after one attempt when it may not be retried", async () => {
    alice.proxy.next(reset);
    const db = alice.client({ retry: false });
    expect(await failure(db.tasks.list())).toMatchObject({ code: "network" });
    expect(sent()).toBe(1);
  });
});

describe("In an outage", () => {
  test("50 calls send little more than 50 requests, one after the other or at once", async () => {
    alice.proxy.always(answer(503));
    for (let turn = 0; turn < 25; turn += 1) await failure(alice.db.tasks.list());
    await Promise.all(Array.from({ length: 25 }, () => failure(alice.db.tasks.list())));
    expect(sent()).toBeLessThan(50 + 6);
  });

  test("lost connections count as well, and those of writes, too", async () => {
    alice.proxy.always(reset);
    for (let turn = 0; turn < 6; turn += 1) {
      await failure(alice.db.tasks.update(newId(), { title: "t" }));
    }
    const before = sent();
    await failure(alice.db.tasks.list());
    expect(sent()).toBe(before + 1);
  });

  test("that is over, calls are retried once enough of them have succeeded", async () => {
    alice.proxy.always(answer(503));
    for (let turn = 0; turn < 12; turn += 1) await failure(alice.db.tasks.list());
    alice.proxy.always(answer(200, { headers: { "content-range": "*/0" }, body: "[]" }));
    for (let turn = 0; turn < 65; turn += 1) await alice.db.tasks.list();
    alice.proxy.next(answer(503));
    expect(await alice.db.tasks.list()).toEqual({ items: [], next: undefined });
  });
});

describe("A user's deadline", () => {
  // Long enough for a request to arrive on a busy machine.
  const timeout = 1_000;

  test.each<[string, Fault, number]>([
    ["while the server does not answer", hold, 1],
    ["while it waits as long as Retry-After says", later(503, "60"), 1],
    ["while it waits longer than a timer can", later(503, "4000000"), 1],
  ])("ends a call %s", async (_, fault, requests) => {
    alice.proxy.always(fault);
    const error = await failure(alice.client({ timeout }).tasks.list());
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error.message).toContain(`${timeout} ms`);
    expect(error.requestId).toBe(alice.proxy.requests[0]?.headers["x-request-id"]);
    expect(sent()).toBe(requests);
  });

  test("tells of the last failure when it passes while the call waits", async () => {
    alice.proxy.always(later(503, "60"));
    const error = await failure(alice.client({ timeout }).tasks.list());
    expect(error.cause).toMatchObject({ name: "UnavailableError", status: 503 });
  });

  test("ends a call whose token never comes", async () => {
    const db = alice.client({ timeout, token: () => new Promise<string>(() => {}) });
    expect(await failure(db.tasks.list())).toBeInstanceOf(DeadlineError);
    expect(sent()).toBe(0);
  });

  test("ends a call of postgrest-js", async () => {
    alice.proxy.always(hold);
    const call = alice.client({ timeout }).rest.from("tasks").select().throwOnError();
    expect(await failure(Promise.resolve(call))).toBeInstanceOf(DeadlineError);
  });

  test.each([2 ** 31, 2 ** 40, Infinity])("may be as far away as %d ms", async (far) => {
    expect(await alice.client({ timeout: far }).tasks.count()).toBe(0);
  });

  test("covers all attempts together, and not each", async () => {
    // Two of these take longer than the deadline, and neither of them does alone.
    const slow: Fault = (exchange) =>
      setTimeout(() => answer(sent() === 1 ? 503 : 200)(exchange), (timeout * 2) / 3);
    alice.proxy.always(slow);
    expect(await failure(alice.client({ timeout }).tasks.list())).toBeInstanceOf(DeadlineError);
  });
});

describe("A user's abort", () => {
  const reason = new Error("The page was left.");
  let controller: AbortController;
  beforeEach(() => {
    controller = new AbortController();
  });

  const aborted = async (call: Promise<unknown>) => {
    const error = await failure(call);
    expect(error).toBeInstanceOf(AbortedError);
    expect(error.cause).toBe(reason);
    return error;
  };

  test("before a call keeps it from being sent", async () => {
    const { tasks } = alice.db;
    const signal = AbortSignal.abort(reason);
    await aborted(tasks.create({ title: "t" }, { signal }));
    await aborted(tasks.list({ signal }));
    await aborted(tasks.get(newId(), { signal }));
    await aborted(tasks.count({ signal }));
    await aborted(collect(tasks.all({ signal })));
    await aborted(tasks.update(newId(), { title: "t" }, { signal }));
    await aborted(tasks.delete(newId(), { signal }));
    await aborted(alice.db.me({ signal }));
    await aborted(alice.db.rpc("me", {}, { signal }));
    expect(sent()).toBe(0);
  });

  test("during a call ends it", async () => {
    alice.proxy.always(() => controller.abort(reason));
    const error = await aborted(alice.db.tasks.list({ signal: controller.signal }));
    expect(error.requestId).toBe(alice.proxy.requests[0]?.headers["x-request-id"]);
    expect(sent()).toBe(1);
  });

  test("while a call waits ends it, and leaves no timer that keeps a program running", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    alice.proxy.always(later(503, "3600"));
    // By then the attempt is over, and the pause has begun.
    const onRequest = () => setImmediate(() => setImmediate(() => controller.abort(reason)));
    await aborted(alice.client({ onRequest }).tasks.list({ signal: controller.signal }));
    expect(sent()).toBe(1);
    const pauses = timers.mock.calls.flatMap(([, ms], at) =>
      ms === 3_600_000 ? [timers.mock.results[at]?.value as NodeJS.Timeout] : [],
    );
    expect(pauses).toHaveLength(1);
    expect(cleared).toHaveBeenCalledWith(pauses[0]);
    vi.restoreAllMocks();
  });

  test("while the token is awaited ends the call", async () => {
    const token = () => {
      setImmediate(() => controller.abort(reason));
      return new Promise<string>(() => {});
    };
    const { tasks } = alice.client({ token });
    await aborted(tasks.list({ signal: controller.signal }));
    expect(sent()).toBe(0);
  });

  test("after a call does nothing", async () => {
    const { signal } = controller;
    const row = await alice.db.tasks.create({ title: "t" }, { signal });
    controller.abort(reason);
    expect(await alice.db.tasks.get(row.id)).toEqual(row);
  });

  test("of postgrest-js ends its call", async () => {
    alice.proxy.always(() => controller.abort(reason));
    const call = alice.db.rest.from("tasks").select().abortSignal(controller.signal);
    await aborted(Promise.resolve(call.throwOnError()));
  });

  test("may come from a signal that lives long: calls leave no listeners on it", async () => {
    const { signal } = controller;
    alice.proxy.next(answer(503));
    for (let turn = 0; turn < 20; turn += 1) await alice.db.tasks.list({ signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
