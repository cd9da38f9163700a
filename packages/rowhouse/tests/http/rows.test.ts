import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Caller, signIn } from "../../src/testing/api.ts";
import {
  addTask,
  addTasks,
  type Backend,
  everything,
  full,
  newId,
  object,
  type Row,
  refusal,
  rowsOf,
  startBackend,
} from "./backend.ts";
import { twiceInUpsert } from "./spellings.ts";

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend();
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await signIn(api);
});

const post = (body: unknown, headers: Record<string, string> = {}, query = "") =>
  alice.ask(`/tasks${query}`, { method: "POST", headers, body });
const key = (id: unknown) => `user_id=eq.${alice.id}&id=eq.${id}`;
const all = () => rowsOf(alice, "/tasks?order=title");
/** Ids in a known order. */
const at = (place: number) => `00000000-0000-7000-8000-00000000000${place}`;
const titles = (rows: unknown) => (rows as Row[]).map(({ title }) => title);

describe("A user who creates a task", () => {
  test("gets its address with return=headers-only", async () => {
    const id = newId();
    const answer = await post({ id, title: "new" }, { prefer: "return=headers-only" });
    expect(answer).toMatchObject({ status: 201, body: undefined });
    const location = answer.headers.get("location") ?? "";
    expect(location).toBe(`/tasks?${key(id)}`);
    expect(await rowsOf(alice, location)).toMatchObject([{ id, title: "new" }]);
  });

  test("gets only the columns asked for", async () => {
    expect(await post({ title: "new" }, full, "?select=title,done:completed")).toMatchObject({
      body: [{ title: "new", done: false }],
    });
  });
});

describe("A user who creates many tasks at once", () => {
  test("gets none when two share an id", async () => {
    const id = newId();
    const twice = [
      { id, title: "1" },
      { id, title: "2" },
    ];
    expect(await post(twice)).toMatchObject(refusal(409, "23505"));
    expect(await post(twice, { prefer: "resolution=merge-duplicates" })).toMatchObject(
      twiceInUpsert,
    );
    expect(await all()).toEqual([]);
  });

  test("gets an error when the rows differ in their columns", async () => {
    const rows = [{ title: "1" }, { title: "2", completed: true }];
    expect(await post(rows)).toMatchObject(refusal(400, "PGRST102"));
    expect(await all()).toEqual([]);
  });

  test("has defaults filled in with missing=default", async () => {
    const rows = [{ title: "1" }, { id: newId(), title: "2", completed: true }];
    const answer = await post(
      rows,
      { prefer: "return=representation, missing=default" },
      "?columns=id,user_id,title,description,completed",
    );
    expect(answer).toMatchObject({
      status: 201,
      body: [{ title: "1", completed: false, description: "" }, rows[1]],
    });
  });

  test("can send CSV", async () => {
    const headers = { ...full, "content-type": "text/csv" };
    const answer = await alice.ask("/tasks", { method: "POST", headers, text: "title\none\ntwo" });
    expect(titles(answer.body)).toEqual(["one", "two"]);
  });
});

describe("A user who upserts", () => {
  test("by PUT creates, then replaces", async () => {
    const id = newId();
    const put = (title: string) =>
      alice.ask(`/tasks?${key(id)}`, {
        method: "PUT",
        headers: full,
        body: { user_id: alice.id, id, title, description: "", completed: false },
      });
    expect(await put("first")).toMatchObject({ status: 201, body: [{ id, title: "first" }] });
    expect(await put("second")).toMatchObject({ status: 200, body: [{ id, title: "second" }] });
    expect(titles(await all())).toEqual(["second"]);
  });

  test.each([
    ["a part of the key", (id: string) => `id=eq.${id}`, 405, "PGRST105"],
    ["no filter", () => "", 405, "PGRST105"],
    ["another id than in the body", () => key(newId()), 400, "PGRST115"],
  ])("by PUT with %s is refused", async (_, query, status, code) => {
    const id = newId();
    const answer = await alice.ask(`/tasks?${query(id)}`, {
      method: "PUT",
      body: { user_id: alice.id, id, title: "x" },
    });
    expect(answer).toMatchObject(refusal(status, code));
    expect(await all()).toEqual([]);
  });
});

describe("A user who lists tasks", () => {
  beforeEach(async () => {
    await addTasks(
      alice,
      { id: at(1), title: "Apple", description: '50% off, (a "deal")', completed: false },
      { id: at(2), title: "banana", description: "", completed: true },
      { id: at(3), title: "Cherry", description: "ÄÖ", completed: false },
    );
  });

  test.each([
    ["title=eq.Apple", ["Apple"]],
    ["title=eq.apple", []],
    ["title=neq.Apple", ["banana", "Cherry"]],
    ["title=ilike.*AN*", ["banana"]],
    ["title=like.*an*", ["banana"]],
    ["title=ilike.a*", ["Apple"]],
    ["completed=is.true", ["banana"]],
    ["completed=not.is.true", ["Apple", "Cherry"]],
    ["description=is.null", []],
    ["title=in.(Apple,banana)", ["Apple", "banana"]],
    ["title=in.()", []],
    ["or=(title.eq.Apple,completed.is.true)", ["Apple", "banana"]],
    ["and=(title.eq.Apple,completed.is.true)", []],
    ["not.or=(title.eq.Apple,completed.is.true)", ["Cherry"]],
    ["title=eq.Apple&completed=is.false", ["Apple"]],
    ["description=eq.50%25%20off,%20(a%20%22deal%22)", ["Apple"]],
    ["description=in.(%2250%25%20off,%20(a%20%5C%22deal%5C%22)%22)", ["Apple"]],
    ["description=eq.%C3%84%C3%96", ["Cherry"]],
    ["created_at=gt.2000-01-01", ["Apple", "banana", "Cherry"]],
    ["created_at=lt.2000-01-01", []],
  ])("by %s gets those", async (filter, expected) => {
    const rows = await rowsOf(alice, `/tasks?order=id&${filter}`);
    expect(titles(rows)).toEqual(expected);
  });

  test.each([
    ["id", ["Apple", "banana", "Cherry"]],
    ["id.desc", ["Cherry", "banana", "Apple"]],
    ["completed.desc,title.desc", ["banana", "Cherry", "Apple"]],
  ])("in the order %s gets them so", async (order, expected) => {
    expect(titles(await rowsOf(alice, `/tasks?order=${order}`))).toEqual(expected);
  });

  const exact = { prefer: "count=exact" };
  test.each([
    ["no limit", "", {}, 200, "0-2/*", 3],
    ["a count", "", exact, 200, "0-2/3", 3],
    ["a limit and a count", "&limit=2", exact, 206, "0-1/3", 2],
    ["a limit and an offset", "&limit=2&offset=1", exact, 206, "1-2/3", 2],
    ["a range header", "", { ...exact, range: "1-1" }, 206, "1-1/3", 1],
    ["a range that goes beyond", "", { ...exact, range: "1-9" }, 206, "1-2/3", 2],
    ["a limit of 0", "&limit=0", {}, 200, "*/*", 0],
    ["an offset beyond, uncounted", "&offset=9", {}, 200, "*/*", 0],
    ["a filter that nothing meets", "&title=eq.x", exact, 200, "*/0", 0],
  ])("with %s gets that many", async (_, query, headers, status, range, length) => {
    const answer = await alice.ask(`/tasks?order=id${query}`, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-range")).toBe(range);
    expect(answer.body).toHaveLength(length);
  });

  test("by HEAD gets the count alone", async () => {
    const answer = await alice.ask("/tasks?limit=2", { method: "HEAD", headers: exact });
    expect(answer).toMatchObject({ status: 206, body: undefined });
    expect(answer.headers.get("content-range")).toBe("0-1/3");
  });

  test("with an offset beyond the count is 416", async () => {
    const answer = await alice.ask("/tasks?offset=9", { headers: exact });
    expect(answer).toMatchObject(refusal(416, "PGRST103"));
    expect(answer.headers.get("content-range")).toBe("*/3");
  });
});

describe("A user who asks for one task", () => {
  test("gets the object, not a list", async () => {
    const task = await addTask(alice);
    expect(await alice.ask(`/tasks?id=eq.${task.id}`, { headers: object })).toMatchObject({
      status: 200,
      body: task,
    });
  });

  test.each([
    ["none is there", 0],
    ["two are there", 2],
  ])("is 406 when %s", async (_, count) => {
    if (count > 0) await addTasks(alice, { title: "1" }, { title: "2" });
    expect(await alice.ask("/tasks", { headers: object })).toMatchObject(
      refusal(406, "PGRST116", { details: `The result contains ${count} rows` }),
    );
  });

  test.each([["PATCH"], ["DELETE"]])("by %s is 406 when none is there", async (method) => {
    const body = method === "PATCH" ? { title: "x" } : undefined;
    const headers = { ...full, ...object };
    const answer = await alice.ask(`/tasks?id=eq.${newId()}`, { method, headers, body });
    expect(answer).toMatchObject(refusal(406, "PGRST116"));
  });

  test("by DELETE is 406 when two are there, and both stay", async () => {
    await addTasks(alice, { title: "1" }, { title: "2" });
    const before = await everything(api);
    const headers = { ...full, ...object };
    const answer = await alice.ask("/tasks?title=in.(1,2)", { method: "DELETE", headers });
    expect(answer).toMatchObject(refusal(406, "PGRST116"));
    expect(await everything(api)).toEqual(before);
  });
});
