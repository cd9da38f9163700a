import { type Api, type Caller, caller, cloneDatabase, signIn, startApi } from "rowhouse/testing";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

const returned = { prefer: "return=representation" };

let api: Api;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startApi(await cloneDatabase());
});
afterAll(() => api.stop());
beforeEach(async () => {
  [alice, bob] = await Promise.all([signIn(api), signIn(api)]);
});

/** Creates a task of Alice's, and resolves with its path. */
async function createTask(): Promise<string> {
  const { body } = await alice.ask("/tasks", {
    method: "POST",
    headers: { ...returned, accept: "application/vnd.pgrst.object+json" },
    body: { title: "Water the plants" },
  });
  return `/tasks?id=eq.${(body as { id: string }).id}`;
}

test("A user creates, reads, changes and deletes their own task", async () => {
  const task = await createTask();
  const change = { method: "PATCH", headers: returned, body: { completed: true } };
  expect(await alice.ask(task, change)).toMatchObject({ status: 200, body: [{ completed: true }] });
  expect(await alice.ask(task)).toMatchObject({ body: [{ title: "Water the plants" }] });
  expect(await alice.ask(task, { method: "DELETE" })).toMatchObject({ status: 204 });
  expect(await alice.ask(task)).toMatchObject({ body: [] });
});

test("Another user neither sees, changes nor deletes it", async () => {
  const task = await createTask();
  const change = { method: "PATCH", headers: returned, body: { completed: true } };
  expect(await bob.ask(task)).toMatchObject({ status: 200, body: [] });
  expect(await bob.ask(task, change)).toMatchObject({ status: 200, body: [] });
  await bob.ask(task, { method: "DELETE" });
  expect(await alice.ask(task)).toMatchObject({ body: [{ completed: false }] });
});

test("Nobody creates a task in another user's name", async () => {
  const body = { user_id: alice.id, title: "Not mine" };
  expect(await bob.ask("/tasks", { method: "POST", body })).toMatchObject({
    status: 403,
    body: { code: "42501" },
  });
});

test("An anonymous caller reads no task", async () => {
  expect(await caller(api).ask("/tasks")).toMatchObject({ status: 401, body: { code: "42501" } });
});
