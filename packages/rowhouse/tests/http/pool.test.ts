import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { type Caller, signIn } from "../../src/testing/api.ts";
import { addTask, type Backend, startBackend } from "./backend.ts";

let api: Backend;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startBackend(
    { pool: 1 },
    `
    create function api.nap(seconds float8) returns text language sql
    as $$ select pg_sleep(seconds); select current_setting('application_name') $$;
    grant execute on function api.nap(float8) to authenticated;
  `,
  );
  alice = await signIn(api);
  bob = await signIn(api);
});
afterAll(() => api.stop());

test("Two users who share one connection a thousand times each see their own rows only", async () => {
  await addTask(alice, { title: "of alice" });
  await addTask(bob, { title: "of bob" });
  const turns = Array.from({ length: 1000 }, (_, turn) => turn);
  for (let from = 0; from < turns.length; from += 20) {
    const batch = turns.slice(from, from + 20).map(async (turn) => {
      const [user, title] = turn % 2 === 0 ? [alice, "of alice"] : [bob, "of bob"];
      const { body } = await user.ask("/tasks?select=user_id,title");
      expect(body).toEqual([{ user_id: user.id, title }]);
    });
    await Promise.all(batch);
  }
  const pids = await api.sql(
    "select pid from pg_stat_activity where usename = 'authenticator' and application_name like 'PostgREST%' and query not ilike 'listen%' and datname = current_database()",
  );
  expect(pids).toHaveLength(1);
});

/** The names under which the API's connections show in the database. */
async function names(): Promise<unknown[]> {
  const rows = await api.sql(
    "select application_name from pg_stat_activity where usename = 'authenticator' and datname = current_database()",
  );
  return rows.map(({ application_name }) => application_name);
}

/** The name of a request whose id the database made. */
const made = /^rowhouse [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const named = (name: string) => async () => ((await names()).includes(name) ? true : undefined);

test("A DBA sees the id of a slow request in the database, and no trace of it afterwards", async () => {
  const slow = alice.ask("/rpc/nap", {
    method: "POST",
    headers: { "x-request-id": "req-42" },
    body: { seconds: 0.5 },
  });
  expect(await waitFor(named("rowhouse req-42"), 10, 5000)).toBe(true);
  await slow;
  expect((await names()).join()).not.toContain("req-42");
  expect(await bob.ask("/rpc/nap", { method: "POST", body: { seconds: 0 } })).toMatchObject({
    body: expect.stringMatching(made),
  });
});

test.each([
  ["A-Za-z0-9._-", "rowhouse A-Za-z0-9._-"],
  ["x".repeat(48), `rowhouse ${"x".repeat(48)}`],
  ["x".repeat(49), expect.stringMatching(made)],
  ["two words", expect.stringMatching(made)],
  ["'; drop table api.tasks; --", expect.stringMatching(made)],
  ["", expect.stringMatching(made)],
])("A caller's request id is taken only when it is short and plain: %s", async (id, name) => {
  const answer = await alice.ask("/rpc/nap", {
    method: "POST",
    headers: { "x-request-id": id },
    body: { seconds: 0 },
  });
  expect(answer).toMatchObject({ status: 200, body: name });
});
