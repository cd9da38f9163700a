import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Caller, signIn } from "../../src/testing/api.ts";
import {
  addTasks,
  type Backend,
  full,
  type Row,
  refusal,
  rowsOf,
  startBackend,
} from "./backend.ts";

const maxRows = 20;
let api: Backend;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startBackend(
    { maxRows },
    `
    create function api.nap(seconds float8) returns void language sql
    as $$ select pg_sleep(seconds) $$;
    create function api.patience() returns text language sql stable
    as $$ select current_setting('statement_timeout') $$;
    create function api.many() returns setof api.tasks language sql stable
    as $$ select * from api.tasks $$;
    create function api.touch() returns void language sql
    as $$ update api.tasks set completed = true where user_id = request.user_id() $$;
    grant execute on function api.nap(float8), api.patience(), api.many(), api.touch() to authenticated;
  `,
  );
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await signIn(api);
  bob = await signIn(api);
  await addTasks(bob, { title: "of bob" });
});

/** Gives Alice so many tasks. */
const fill = (count: number) =>
  api.sql(
    "insert into api.tasks (user_id, title) select $1, 't' || i from generate_series(1, $2) i",
    [alice.id, count],
  );
const stored = (someone: Caller) =>
  api.sql("select * from api.tasks where user_id = $1 order by id", [someone.id]);

describe("A user with more rows than one answer carries", () => {
  beforeEach(() => fill(maxRows + 5));

  test.each([
    ["a list", "/tasks"],
    ["a list with a higher limit", "/tasks?limit=1000"],
    ["a function's rows", "/rpc/many"],
  ])("gets the first of them in %s", async (_, path) => {
    const answer = await alice.ask(path, { headers: { prefer: "count=exact" } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`0-${maxRows - 1}/${maxRows + 5}`);
    expect(answer.body).toHaveLength(maxRows);
  });

  test("gets the first of them in an embed, whatever limit it has", async () => {
    for (const limit of ["", "&tasks.limit=1000"]) {
      const [user] = await rowsOf(alice, `/users?select=tasks(id)${limit}`);
      expect(user?.tasks).toHaveLength(maxRows);
    }
  });

  test("gets the rest with an offset", async () => {
    expect(await rowsOf(alice, `/tasks?offset=${maxRows}`)).toHaveLength(5);
  });

  test("gets back all that one write touched", async () => {
    const headers = full;
    const answer = await alice.ask("/tasks", { method: "DELETE", headers });
    expect(answer.body).toHaveLength(maxRows + 5);
  });
});

describe.each([
  ["PATCH", { completed: true }],
  ["DELETE", undefined],
])("A user's %s", (method, body) => {
  const write = (query: string, prefer = "") =>
    alice.ask(`/tasks${query}`, { method, body, headers: { prefer } });
  const tooMany = (matches: number, allowed: number) =>
    refusal(400, "PT400", {
      details: "too_many_rows",
      message: `The filter matches ${matches} rows; one request may change ${allowed}.`,
      hint: expect.stringContaining("Prefer: max-affected=<n>"),
    });

  test("of 100 rows goes through", async () => {
    await fill(100);
    expect(await write("")).toMatchObject({ status: 204 });
  });

  test.each([
    ["without a filter", "", ""],
    ["with a filter that is always true", "?or=(completed.is.true,completed.is.false)", ""],
    ["with a filter on the key", "?id=not.is.null", ""],
    ["with a limit above", "?limit=101&order=id", ""],
    ["that returns them", "?select=id", "return=representation"],
    ["that also counts", "", "count=exact"],
  ])("of 101 rows %s changes nothing", async (_, query, prefer) => {
    await fill(101);
    const before = await stored(alice);
    expect(await write(query, prefer)).toMatchObject(tooMany(101, 100));
    expect(await stored(alice)).toEqual(before);
  });

  test("of 101 rows with a limit of 100 goes through for those", async () => {
    await fill(101);
    const answer = await write("?limit=100&order=id", "count=exact");
    expect(answer.headers.get("content-range")).toMatch(/\/100$/);
  });

  test.each([
    ["max-affected=200", 200],
    ["return=minimal, max-affected=200", 200],
    ["max-affected=999999999", 200],
    ["max-affected=1", 1],
  ])("may touch as many rows as Prefer: %s says", async (prefer, count) => {
    await fill(count);
    const before = await stored(bob);
    expect(await write("", prefer)).toMatchObject({ status: 204 });
    expect(await stored(bob)).toEqual(before);
  });

  test.each([
    ["max-affected=200", 201, 200],
    ["max-affected=1", 2, 1],
    ["max-affected=0", 1, 0],
  ])("may touch no more rows than Prefer: %s says", async (prefer, count, allowed) => {
    await fill(count);
    const before = await stored(alice);
    expect(await write("", prefer)).toMatchObject(tooMany(count, allowed));
    expect(await stored(alice)).toEqual(before);
  });

  test.each([["max-affected=-1"], ["max-affected=all"], ["max-affected="]])(
    "keeps its limit when the number is none: %s",
    async (prefer) => {
      await fill(101);
      expect(await write("", prefer)).toMatchObject(tooMany(101, 100));
    },
  );
});

test("A user may create and upsert more than 100 rows: each is named", async () => {
  const rows = await addTasks(alice, ...Array.from({ length: 150 }, () => ({ title: "x" })));
  const body = rows.map(({ id }) => ({ id, title: "y" }));
  const headers = { prefer: "resolution=merge-duplicates" };
  expect(await alice.ask("/tasks", { method: "POST", headers, body })).toMatchObject({
    status: 200,
  });
  const titles = (await stored(alice)).map(({ title }) => title);
  expect(new Set(titles)).toEqual(new Set(["y"]));
});

test("A user's function may touch more than 100 rows: its filter is not the caller's", async () => {
  await fill(150);
  expect(await alice.ask("/rpc/touch", { method: "POST" })).toMatchObject({ status: 204 });
  const open = (await stored(alice)).filter(({ completed }) => completed !== true);
  expect(open).toEqual([]);
});

test("A user's request is cancelled after five seconds", async () => {
  expect((await alice.ask("/rpc/patience", { method: "POST" })).body).toBe("5s");
  const answer = await alice.ask("/rpc/nap", { method: "POST", body: { seconds: 20 } });
  expect(answer).toMatchObject(
    refusal(500, "57014", { message: "canceling statement due to statement timeout" }),
  );
  expect(await alice.ask("/tasks")).toMatchObject({ status: 200, body: [] satisfies Row[] });
});
