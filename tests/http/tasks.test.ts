import {
  type Backend,
  type Caller,
  createRows,
  errorAnswer,
  newId,
  oneRow,
  readRows,
  returnRows,
  signIn,
  startBackend,
  type TestRow,
} from "rowhouse/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend();
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await signIn(api);
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  alice.ask("/tasks", { method: "POST", headers, body });
const addTasks = (...tasks: TestRow[]) =>
  createRows(alice, "/tasks", ...tasks.map((task) => ({ id: newId(), ...task })));
const all = () => readRows(alice, "/tasks?order=title");
const titles = (rows: unknown) => (rows as TestRow[]).map(({ title }) => title);

describe("A user who creates a task", () => {
  test("gets nothing back by default", async () => {
    const answer = await post({ title: "new" });
    expect(answer).toMatchObject({ status: 201, body: undefined });
    expect(titles(await all())).toEqual(["new"]);
  });

  test("gets the row with return=representation, defaults filled in", async () => {
    const before = Date.now() - 1000;
    const answer = await post({ title: "new" }, { ...returnRows, ...oneRow });
    expect(answer).toMatchObject({
      status: 201,
      body: { user_id: alice.id, title: "new", description: "", completed: false },
    });
    const task = answer.body as TestRow;
    expect(task.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(task.updated_at).toBe(task.created_at);
    expect(Date.parse(String(task.created_at))).toBeGreaterThan(before);
    expect(Object.keys(task)).toHaveLength(7);
  });

  test("has one row after saying so twice with an id of their own", async () => {
    const once = { id: newId(), title: "new" };
    const ignore = { prefer: "return=representation, resolution=ignore-duplicates" };
    expect(await post(once, ignore)).toMatchObject({ status: 201, body: [once] });
    expect(await post(once, ignore)).toMatchObject({ status: 201, body: [] });
    expect(await post(once)).toMatchObject(errorAnswer(409, "23505"));
    expect(await all()).toMatchObject([once]);
  });

  test.each([["created_at"], ["updated_at"]])("cannot set %s", async (column) => {
    const body = { title: "new", [column]: "2000-01-01" };
    expect(await post(body)).toMatchObject(errorAnswer(403, "42501"));
    const [task] = await addTasks({ title: "a task" });
    for (const value of ["2000-01-01", null]) {
      expect(
        await alice.ask(`/tasks?id=eq.${task?.id}`, { method: "PATCH", body: { [column]: value } }),
      ).toMatchObject(errorAnswer(403, "42501"));
    }
    expect(await all()).toEqual([task]);
  });
});

describe("A user who creates many tasks at once", () => {
  test("gets all of them", async () => {
    const answer = await post([{ title: "1" }, { title: "2" }], returnRows);
    expect(answer.status).toBe(201);
    expect(titles(answer.body)).toEqual(["1", "2"]);
  });

  test("gets none when one is faulty", async () => {
    expect(await post([{ title: "1" }, { title: "" }])).toMatchObject(errorAnswer(400, "23514"));
    expect(await all()).toEqual([]);
  });
});

describe("A user who upserts", () => {
  const merge = { prefer: "return=representation, resolution=merge-duplicates" };

  test("by POST changes what is there and creates what is not", async () => {
    const [task] = await addTasks({ title: "old" });
    const other = newId();
    const answer = await post(
      [
        { id: task?.id, title: "new" },
        { id: other, title: "other" },
      ],
      merge,
    );
    expect(answer.body).toMatchObject([
      { id: task?.id, title: "new", created_at: task?.created_at },
      { id: other, title: "other" },
    ]);
    expect(titles(await all())).toEqual(["new", "other"]);
  });

  test("by POST leaves alone what was not sent", async () => {
    const [task] = await addTasks({ title: "old", description: "kept", completed: true });
    await post({ id: task?.id, title: "new" }, merge);
    expect(await all()).toMatchObject([{ title: "new", description: "kept", completed: true }]);
  });
});

test("A user lists their tasks with themselves, and themselves with their tasks", async () => {
  await addTasks({ title: "Apple" }, { title: "banana" }, { title: "Cherry" });
  const owner = { id: alice.id, email: `${alice.id}@example.com` };
  expect(await readRows(alice, "/tasks?select=title,user:users(id,email)&title=eq.Apple")).toEqual([
    { title: "Apple", user: owner },
  ]);
  expect(
    await readRows(alice, "/users?select=id,tasks(title)&tasks.order=title.desc&tasks.limit=2"),
  ).toEqual([{ id: alice.id, tasks: [{ title: "banana" }, { title: "Cherry" }] }]);
  expect(await readRows(alice, "/users?select=id,tasks!inner(title)&tasks.title=eq.x")).toEqual([]);
});

describe("A user who changes tasks", () => {
  test("changes what was sent, and nothing else", async () => {
    const [task, other] = await addTasks({ title: "1" }, { title: "2" });
    const answer = await alice.ask(`/tasks?id=eq.${task?.id}`, {
      method: "PATCH",
      headers: returnRows,
      body: { completed: true },
    });
    const { updated_at } = (answer.body as TestRow[])[0] ?? {};
    expect(answer).toMatchObject({ status: 200, body: [{ ...task, completed: true, updated_at }] });
    expect(updated_at).not.toBe(task?.updated_at);
    expect((await all())[1]).toEqual(other);
  });

  test("learns how many from Content-Range", async () => {
    await addTasks({ title: "1" }, { title: "2" });
    const change = (query: string) =>
      alice.ask(`/tasks?${query}`, {
        method: "PATCH",
        headers: { prefer: "count=exact" },
        body: { completed: true },
      });
    const both = await change("completed=is.false");
    expect(both).toMatchObject({ status: 204, body: undefined });
    expect(both.headers.get("content-range")).toBe("0-1/2");
    expect((await change("completed=is.false")).headers.get("content-range")).toBe("*/0");
  });

  test("changes nothing with an empty body", async () => {
    const [task] = await addTasks({ title: "a task" });
    expect(await alice.ask("/tasks", { method: "PATCH", body: {} })).toMatchObject({ status: 204 });
    expect(await all()).toEqual([task]);
  });
});

test("A user who deletes a task gets it back once, and the others stay", async () => {
  const [task, other] = await addTasks({ title: "1" }, { title: "2" });
  const remove = (headers: Record<string, string>) =>
    alice.ask(`/tasks?id=eq.${task?.id}`, { method: "DELETE", headers });
  expect(await remove(returnRows)).toMatchObject({ status: 200, body: [task] });
  expect(await remove(returnRows)).toMatchObject({ status: 200, body: [] });
  expect(await remove({})).toMatchObject({ status: 204, body: undefined });
  expect(await all()).toEqual([other]);
});

test("A user who leaves by the owner's hand takes their tasks along, and no others", async () => {
  const bob = await signIn(api);
  for (const user of [alice, bob]) await createRows(user, "/tasks", { title: "a task" });
  await api.sql("delete from api.users where id = $1", [alice.id]);
  expect(await readRows(alice, "/tasks")).toEqual([]);
  expect(await readRows(bob, "/tasks?select=title")).toEqual([{ title: "a task" }]);
});
