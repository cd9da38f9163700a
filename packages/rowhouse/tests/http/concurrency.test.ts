import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, signIn } from "../../src/testing/api.ts";
import {
  addTask,
  addTasks,
  type Backend,
  full,
  newId,
  type Row,
  refusal,
  rowsOf,
  startBackend,
} from "./backend.ts";

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api);
});
afterAll(() => api.stop());

const patch = (task: Row, headers: Record<string, string> = {}, body: Row = { title: "newer" }) =>
  alice.ask(`/tasks?id=eq.${task.id}`, { method: "PATCH", headers: { ...full, ...headers }, body });
const remove = (task: Row, headers: Record<string, string> = {}) =>
  alice.ask(`/tasks?id=eq.${task.id}`, { method: "DELETE", headers: { ...full, ...headers } });
const read = async (task: Row) => (await rowsOf(alice, `/tasks?id=eq.${task.id}`))[0];

test("A user who updates a row again and again sees updated_at go strictly forward", async () => {
  const task = await addTask(alice);
  let before = String(task.updated_at);
  for (let turn = 0; turn < 20; turn++) {
    const { body } = await patch(task);
    const after = String((body as Row[])[0]?.updated_at);
    expect(after > before, `${before} then ${after}`).toBe(true);
    before = after;
  }
});

test("A user's updated_at goes forward even when the clock has gone back", async () => {
  const task = await addTask(alice);
  const future = "2100-01-01T00:00:00+00:00";
  await api.sql("alter table api.tasks disable trigger step_updated_at");
  await api.sql("update api.tasks set updated_at = $1 where id = $2", [future, task.id]);
  await api.sql("alter table api.tasks enable trigger step_updated_at");
  expect(await patch(task)).toMatchObject({
    body: [{ updated_at: "2100-01-01T00:00:00.000001+00:00" }],
  });
});

test("A user's update leaves created_at as it was", async () => {
  const task = await addTask(alice);
  expect(await patch(task)).toMatchObject({ body: [{ created_at: task.created_at }] });
});

describe.each([
  ["update", patch, { status: 200, body: [{ title: "newer" }] }],
  ["delete", remove, { status: 200, body: [{ title: "a task" }] }],
] as const)("A user's conditional %s", (_, act, success) => {
  test.each([
    ["plain", (version: string) => version],
    ["in quotes, as an ETag", (version: string) => `"${version}"`],
    ["with a Z", (version: string) => version.replace("+00:00", "Z")],
    ["as *", () => "*"],
  ])("goes through with the row's version %s", async (_form, form) => {
    const task = await addTask(alice);
    const version = String((await read(task))?.updated_at);
    expect(await act(task, { "if-match": form(version) })).toMatchObject(success);
  });

  test.each([["2020-01-01T00:00:00+00:00"], ['"2020-01-01T00:00:00+00:00"'], ["2020-01-01"]])(
    "is 412 with another version: %s",
    async (version) => {
      const task = await addTask(alice);
      expect(await act(task, { "if-match": version })).toMatchObject(
        refusal(412, "PT412", { details: "row_stale" }),
      );
      expect(await read(task)).toEqual(task);
    },
  );

  test.each([
    ["nonsense"],
    ["infinity"],
    ["now"],
    ["yesterday's"],
    [""],
    ['""'],
    ['W/"2020-01-01T00:00:00+00:00"'],
    ['"2020-01-01", "2020-01-02"'],
    ["2020-13-45"],
    ["999999-01-01"],
    ["2020-01-01T00:00:00 No/Where"],
    ["2020-01-01T00:00:00+99:99"],
  ])("is 400 with what is no timestamp: %s", async (version) => {
    const task = await addTask(alice);
    expect(await act(task, { "if-match": version })).toMatchObject(
      refusal(400, "PT400", { details: "if_match_invalid" }),
    );
    expect(await read(task)).toEqual(task);
  });

  test("goes through for exactly one of ten at once", async () => {
    const task = await addTask(alice);
    const headers = { "if-match": String(task.updated_at) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => act(task, headers)));
    // Whoever finds the row deleted has changed nothing: PostgREST says so with an empty list.
    const changed = answers.filter(({ status, body }) => status === 200 && (body as Row[]).length);
    expect(changed).toHaveLength(1);
    for (const answer of answers.filter((one) => !changed.includes(one))) {
      expect([200, 412]).toContain(answer.status);
    }
  });
});

test("A user whose update comes second gets 412, and the first one's stays", async () => {
  const task = await addTask(alice);
  const headers = { "if-match": String(task.updated_at) };
  expect(await patch(task, headers, { title: "first" })).toMatchObject({ status: 200 });
  expect(await patch(task, headers, { title: "second" })).toMatchObject(refusal(412, "PT412"));
  expect(await read(task)).toMatchObject({ title: "first" });
});

test("A user's conditional update of several rows is all or nothing", async () => {
  const [one, two] = await addTasks(alice, { title: "one" }, { title: "two" });
  const answer = await alice.ask(`/tasks?id=in.(${one?.id},${two?.id})`, {
    method: "PATCH",
    headers: { "if-match": "2020-01-01" },
    body: { title: "changed" },
  });
  expect(answer.status).toBe(412);
  expect(await read(one ?? {})).toEqual(one);
  expect(await read(two ?? {})).toEqual(two);
});

test("A user's own row takes If-Match, too", async () => {
  const rename = (version: unknown) =>
    alice.ask(`/users?id=eq.${alice.id}`, {
      method: "PATCH",
      headers: { "if-match": String(version) },
      body: { name: "Alice" },
    });
  const [me] = await rowsOf(alice, "/users");
  expect(await rename(me?.updated_at)).toMatchObject({ status: 204 });
  expect(await rename(me?.updated_at)).toMatchObject(refusal(412, "PT412"));
});

test.each([
  ["plainly", "", [201, 409]],
  ["with ignore-duplicates", "resolution=ignore-duplicates", [201]],
  ["with merge-duplicates", "resolution=merge-duplicates", [200, 201]],
])("A user who creates one id ten times at once, %s, has one row", async (_, prefer, statuses) => {
  const id = newId();
  const create = () =>
    alice.ask("/tasks", { method: "POST", headers: { prefer }, body: { id, title: "once" } });
  const answers = await Promise.all(Array.from({ length: 10 }, create));
  for (const { status } of answers) expect(statuses).toContain(status);
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
  expect(await rowsOf(alice, `/tasks?id=eq.${id}`)).toMatchObject([{ title: "once" }]);
});

test("A user who deletes a row ten times at once gets it back once", async () => {
  const task = await addTask(alice);
  const answers = await Promise.all(Array.from({ length: 10 }, () => remove(task)));
  expect(answers.flatMap(({ body }) => body)).toHaveLength(1);
});
