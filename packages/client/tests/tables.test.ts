import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ConflictError, ForbiddenError, NotFoundError } from "../../../client/index.ts";
import { collect, failure, getIds, type Session, startSession } from "./session.ts";
import { answer, type Backend, newId, startBackend, without } from "./support.ts";

let api: Backend;
let alice: Session;
let bob: Session;
beforeAll(async () => {
  api = await startBackend();
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
  bob = await startSession(api);
});

const stored = (id: string) => api.sql("select * from api.tasks where id = $1", [id]);

test("A user's new row comes back as the database has it", async () => {
  const row = await alice.db.tasks.create({ title: "Water the plants" });
  expect(row).toEqual({
    user_id: alice.id,
    id: expect.stringMatching(/^.{14}7/),
    title: "Water the plants",
    description: "",
    completed: false,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  expect(await alice.db.tasks.get(row.id)).toEqual(row);
});

test("A user's new row keeps the id and the values that it was given", async () => {
  const row = { id: newId(), title: "t", description: "d", completed: true };
  expect(await alice.db.tasks.create(row)).toMatchObject(row);
  expect(await stored(row.id)).toMatchObject([{ ...row, user_id: alice.id }]);
});

test("A user's new row has an id also when it was given as undefined", async () => {
  const row = { id: undefined, title: "t", description: undefined } as unknown as { title: string };
  const created = await alice.db.tasks.create(row);
  expect(created).toMatchObject({ title: "t", description: "" });
  expect(JSON.parse(String(alice.proxy.requests[0]?.body))).toMatchObject([{ id: created.id }]);
});

test("A user's new rows come back in the order given, whatever their ids", async () => {
  const ids = Array.from({ length: 20 }, newId).sort(() => Math.random() - 0.5);
  const rows = await alice.db.tasks.createMany(ids.map((id, at) => ({ id, title: `t${at}` })));
  expect(getIds(rows)).toEqual(ids);
  expect(rows.map(({ title }) => title)).toEqual(ids.map((_, at) => `t${at}`));
  expect(alice.proxy.requests).toHaveLength(1);
});

test("A user's new rows take the defaults of the columns that they leave out", async () => {
  const rows = await alice.db.tasks.createMany([
    { title: "one" },
    { title: "two", completed: true },
    { title: "three", description: "long" },
  ]);
  expect(rows).toMatchObject([
    { completed: false, description: "" },
    { completed: true, description: "" },
    { completed: false, description: "long" },
  ]);
});

test("A user who creates no rows gets none, and nothing is sent", async () => {
  expect(await alice.db.tasks.createMany([])).toEqual([]);
  expect(alice.proxy.requests).toEqual([]);
});

test("A user's new rows are all refused when one of them is", async () => {
  const rows = [{ title: "good" }, { title: "" }, { title: "good too" }];
  expect(await failure(alice.db.tasks.createMany(rows))).toMatchObject({ column: "title" });
  expect(await alice.db.tasks.count()).toBe(0);
});

test("A user's change returns the row as it is then, and leaves the rest as it was", async () => {
  const row = await alice.db.tasks.create({ title: "old", description: "kept" });
  const changed = await alice.db.tasks.update(row.id, { title: "new" });
  expect(changed).toEqual({ ...row, title: "new", updated_at: changed.updated_at });
  expect(changed.updated_at > row.updated_at).toBe(true);
});

test("A user's empty update is an InvalidError, and not a missing row", async () => {
  const row = await alice.db.tasks.create({ title: "here" });
  expect(await failure(alice.db.tasks.update(row.id, {}))).toMatchObject({
    name: "InvalidError",
    code: "empty_patch",
  });
  expect(await alice.db.tasks.get(row.id)).toEqual(row);
});

test.each(["task", "toString"])("A name that no collection has is refused: %s", (name) => {
  expect(() => alice.db.table(name as "tasks")).toThrow(
    expect.objectContaining({ name: "InvalidError", code: "unknown_table" }),
  );
});

test("A user's deleted row is gone, and the others stay", async () => {
  const [gone, kept] = await alice.db.tasks.createMany([{ title: "gone" }, { title: "kept" }]);
  expect(await alice.db.tasks.delete(gone?.id ?? "")).toBeUndefined();
  expect((await alice.db.tasks.list()).items).toEqual([kept]);
});

test("A user counts the rows that meet the conditions, one request each", async () => {
  await alice.db.tasks.createMany([
    { title: "red apple", completed: true },
    { title: "green apple" },
    { title: "plum", description: "APPLE-like" },
  ]);
  const { tasks } = alice.db;
  expect(await tasks.count()).toBe(3);
  expect(await tasks.count({ where: { completed: true } })).toBe(1);
  expect(await tasks.count({ where: { title: { contains: "pear" } } })).toBe(0);
  expect(await tasks.count({ search: { text: "apple", in: ["title", "description"] } })).toBe(3);
  expect(alice.proxy.requests).toHaveLength(5);
});

test("A count is an error and no number when the server does not tell it", async () => {
  alice.proxy.always(without("content-range"));
  expect(await failure(alice.db.tasks.count())).toMatchObject({ name: "UnavailableError" });
});

test("Two users do not see, change or delete each other's rows", async () => {
  const row = await alice.db.tasks.create({ title: "of alice" });
  const { tasks } = bob.db;
  expect(await tasks.list()).toEqual({ items: [], next: undefined });
  expect(await collect(tasks.all())).toEqual([]);
  expect(await tasks.count()).toBe(0);
  expect(await failure(tasks.get(row.id))).toBeInstanceOf(NotFoundError);
  expect(await failure(tasks.update(row.id, { title: "of bob" }))).toBeInstanceOf(NotFoundError);
  expect(await failure(tasks.delete(row.id))).toBeInstanceOf(NotFoundError);
  expect(await alice.db.tasks.get(row.id)).toEqual(row);
});

test("Two users may use the same id, and each has a row of their own", async () => {
  const id = newId();
  await alice.db.tasks.create({ id, title: "of alice" });
  await bob.db.tasks.create({ id, title: "of bob" });
  expect(await alice.db.tasks.get(id)).toMatchObject({ title: "of alice" });
  expect(await bob.db.tasks.get(id)).toMatchObject({ title: "of bob" });
});

test("A user cannot create a row for another", async () => {
  const forged = { title: "t", user_id: bob.id };
  expect(await alice.db.tasks.create(forged)).toMatchObject({ user_id: alice.id });
  const call = alice.db.rest.from("tasks").insert(forged).throwOnError();
  expect(await failure(Promise.resolve(call))).toBeInstanceOf(ForbiddenError);
  expect(await bob.db.tasks.count()).toBe(0);
});

test("A user's id that is taken is a ConflictError, and the row stays as it was", async () => {
  const row = await alice.db.tasks.create({ title: "first" });
  const again = alice.db.tasks.create({ id: row.id, title: "second" });
  expect(await failure(again)).toBeInstanceOf(ConflictError);
  expect(await alice.db.tasks.get(row.id)).toEqual(row);
});

test("A user's list brings the users along without a request for each", async () => {
  const me = await alice.db.me();
  await alice.db.tasks.createMany(Array.from({ length: 20 }, (_, at) => ({ title: `t${at}` })));
  const before = alice.proxy.requests.length;
  const { items } = await alice.db.tasks.list({ with: ["users"] });
  const [page, probe, ...others] = alice.proxy.requests.slice(before);
  expect(page?.query.get("select")).toContain("users");
  // A page that is shorter than asked for may have been cut by the server.
  expect(probe?.query.get("limit")).toBe("1");
  expect(others).toEqual([]);
  expect(items).toHaveLength(20);
  expect(items.map(({ users }) => users)).toEqual(items.map(() => me));
  const first = items[0];
  expect(await alice.db.tasks.get(first?.id ?? "", { with: ["users"] })).toEqual(first);
});

test("A user finds the same collection by its name and by the table's", () => {
  expect(alice.db.table("tasks")).toBe(alice.db.tasks);
});

test("A new user is made by the first call of me, and found by the next", async () => {
  await api.sql("delete from api.users where id = $1", [alice.id]);
  const me = await alice.db.me();
  expect(me).toMatchObject({ id: alice.id, email: `${alice.id}@example.com`, name: null });
  expect(await alice.db.me()).toEqual(me);
});

test("A user calls a function by its name", async () => {
  expect(await alice.db.rpc("me")).toEqual(await alice.db.me());
  expect(alice.proxy.requests[0]).toMatchObject({ method: "POST", path: "/rpc/me" });
});

test("A user does the rest with postgrest-js, which reads, writes and takes single rows", async () => {
  const { rest } = alice.db;
  const { data: made } = await rest
    .from("tasks")
    .insert({ title: "by rest" })
    .select()
    .single()
    .throwOnError();
  expect(made).toMatchObject({ title: "by rest", user_id: alice.id });
  const one = rest.from("tasks").select("title, users(id)").eq("id", made.id).single();
  expect((await one.throwOnError()).data).toEqual({ title: "by rest", users: { id: alice.id } });
  const { count } = await rest.from("tasks").select("*", { count: "exact", head: true });
  expect(count).toBe(1);
  await rest.from("tasks").delete().eq("id", made.id).throwOnError();
  expect(await alice.db.tasks.count()).toBe(0);
});

test("A user of postgrest-js gets the client's errors with throwOnError, and an error without", async () => {
  const missing = alice.db.rest.from("tasks").select().eq("id", newId()).single();
  expect(await failure(Promise.resolve(missing.throwOnError()))).toBeInstanceOf(NotFoundError);
  const refused = await alice.db.rest.from("tasks").insert({ title: "" });
  expect(refused.error?.message).toContain("tasks_title_length");
});

test("Every request of a user has an id and a token", async () => {
  const { tasks } = alice.db;
  const row = await tasks.create({ title: "t" });
  await tasks.list({ where: { title: { contains: "t" } }, limit: 3 });
  await tasks.get(row.id);
  await tasks.count();
  await collect(tasks.all());
  await tasks.update(row.id, { title: "u" });
  await failure(tasks.update(row.id, { title: "v" }, { ifMatch: row.updated_at }));
  await tasks.delete(row.id);
  const { requests } = alice.proxy;
  const [created, ...others] = requests;
  expect(JSON.parse(String(created?.body))).toMatchObject([{ user_id: alice.id, id: row.id }]);
  expect(others.length).toBeGreaterThan(8);
  const ids = requests.map(({ headers }) => headers["x-request-id"]);
  expect(new Set(ids).size).toBe(requests.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  for (const { headers } of requests) expect(headers.authorization).toMatch(/^Bearer .+\..+\..+$/);
});

test("A user whose address of the API ends with a slash reaches it all the same", async () => {
  const db = alice.client({ url: `${alice.proxy.url}//` });
  const row = await db.tasks.create({ title: "t" });
  expect((await db.rest.from("tasks").select().throwOnError()).data).toEqual([row]);
  expect(alice.proxy.requests.map(({ path }) => path)).toEqual(["/tasks", "/tasks"]);
});

test("An application is notified of every attempt, without the token", async () => {
  const events: unknown[] = [];
  const db = alice.client({ onRequest: (event) => events.push(event) });
  alice.proxy.next(answer(503));
  await db.tasks.list();
  const [first, second] = alice.proxy.requests;
  const requestId = first?.headers["x-request-id"];
  expect(second?.headers["x-request-id"]).toBe(requestId);
  const common = { method: "GET", url: expect.stringContaining(alice.proxy.url), requestId };
  const durationMs = expect.any(Number);
  expect(events).toEqual([
    { ...common, status: 503, attempt: 1, durationMs },
    { ...common, status: 200, attempt: 2, durationMs },
  ]);
  expect(JSON.stringify(events)).not.toContain("Bearer");
});
