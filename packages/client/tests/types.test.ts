import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Collection,
  createRowhouse,
  type Page,
  type Rowhouse,
  type StaleError,
  type Tables,
} from "../../../client/index.ts";
import type { TaskTypes } from "./session.ts";

// Nothing is sent: the functions below are compiled (npm run check), and never called.
const db = createRowhouse({ url: "http://127.0.0.1:1", token: "" });
const id = "01a1fc1a-1af7-7091-ae34-6701d416325b";

interface Task {
  completed: boolean;
  created_at: string;
  description: string;
  id: string;
  title: string;
  updated_at: string;
  user_id: string;
}

describe("A developer sees", () => {
  test("the collections of the tables with a key", () => {
    expectTypeOf(db.table).parameter(0).toEqualTypeOf<"tasks" | "users">();
    expectTypeOf(db).toEqualTypeOf<Rowhouse>();
    expectTypeOf(db.tasks).toEqualTypeOf<Collection<TaskTypes>>();
    expectTypeOf(db.table("tasks")).toEqualTypeOf<Collection<TaskTypes>>();
  });

  test("a row as it is read, written and changed", () => {
    expectTypeOf<TaskTypes["Row"]>().toEqualTypeOf<Task>();
    expectTypeOf<TaskTypes["New"]>().toEqualTypeOf<{
      title: string;
      completed?: boolean;
      description?: string;
      id?: string;
    }>();
    expectTypeOf<TaskTypes["Patch"]>().toEqualTypeOf<{
      title?: string;
      completed?: boolean;
      description?: string;
    }>();
  });

  test("what each call returns", () => {
    const { tasks } = db;
    const get = () => tasks.get(id);
    const list = () => tasks.list();
    const all = () => tasks.all();
    expectTypeOf(tasks.create).returns.resolves.toEqualTypeOf<Task>();
    expectTypeOf(tasks.createMany).returns.resolves.toEqualTypeOf<Task[]>();
    expectTypeOf(tasks.update).returns.resolves.toEqualTypeOf<Task>();
    expectTypeOf(tasks.delete).returns.resolves.toEqualTypeOf<void>();
    expectTypeOf(tasks.count).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf(get).returns.resolves.toExtend<Task>();
    expectTypeOf(list).returns.resolves.toExtend<Page<Task>>();
    expectTypeOf(all).returns.toExtend<AsyncIterable<Task>>();
    expectTypeOf(db.me).returns.resolves.toEqualTypeOf<Tables<"users">>();
    expectTypeOf(() => db.rpc("me")).returns.resolves.toEqualTypeOf<Tables<"users">>();
    expectTypeOf<StaleError<Task>["current"]>().toEqualTypeOf<Task | undefined>();
  });

  test("embedded rows, and only those asked for", () => {
    const list = () => db.tasks.list({ with: ["users"] });
    const get = () => db.tasks.get(id, { with: ["users"] });
    const plain = () => db.tasks.get(id);
    type Listed = Awaited<ReturnType<typeof list>>["items"][number];
    // Null where the policies hide the user.
    expectTypeOf<Listed["users"]>().toEqualTypeOf<Tables<"users"> | null>();
    expectTypeOf<
      Awaited<ReturnType<typeof get>>["users"]
    >().toEqualTypeOf<Tables<"users"> | null>();
    expectTypeOf<Awaited<ReturnType<typeof plain>>>().not.toHaveProperty("users");
  });
});

const correct = [
  () => db.tasks.create({ title: "t" }),
  () => db.tasks.create({ title: "t", id, completed: true, description: "" }),
  () => db.tasks.createMany([{ title: "t" }, { title: "u", completed: true }]),
  () => db.tasks.update(id, { completed: true }, { ifMatch: "2026-11-21T00:00:00+00:00" }),
  () => db.tasks.delete(id, { signal: AbortSignal.timeout(1) }),
  () => db.tasks.list({ where: { title: "t", completed: { neq: true }, user_id: id } }),
  () => db.tasks.list({ where: { title: { in: ["a"], contains: "b", gt: "c", lte: "d" } } }),
  () => db.tasks.list({ where: { title: { like: "a%", not: { match: "b$" } }, id: { gt: id } } }),
  () => db.tasks.list({ search: { text: "t", in: ["title", "description"] } }),
  () => db.users.list({ search: { text: "t", in: ["email", "name"] }, where: { name: null } }),
  () =>
    db.users.list({
      sort: [
        { by: "name", nulls: "first" },
        { by: "email", order: "desc" },
      ],
    }),
  () => db.tasks.list({ mine: true, count: true, with: { owner: "tasks_user_id_fkey" } }),
  () => db.tasks.get({ user_id: id, id }),
  async () => db.tasks.update(await db.tasks.get(id), { title: "t" }),
  () => db.tasks.list({ sort: { by: "completed", order: "desc" }, limit: 5, after: undefined }),
  () => db.tasks.all({ pageSize: 5, with: ["users"], where: { completed: false } }),
  () => db.tasks.count({ where: { completed: false }, search: { text: "t", in: ["title"] } }),
  () => db.me({ signal: AbortSignal.timeout(1) }),
  () => db.rpc("me", {}, { signal: AbortSignal.timeout(1) }),
  () => db.rest.from("users").select("id, tasks(title)"),
  () => createRowhouse({ url: "", token: async () => "", retry: false, timeout: 1 }),
];

const mistaken = [
  // @ts-expect-error no such table
  () => db.nothing,
  // @ts-expect-error no such table
  () => db.table("nothing"),

  // @ts-expect-error title is missing
  () => db.tasks.create({}),
  // @ts-expect-error a value of another type
  () => db.tasks.create({ title: 1 }),
  // @ts-expect-error null where there is none
  () => db.tasks.create({ title: null }),
  // @ts-expect-error no such column
  () => db.tasks.create({ title: "t", due: "tomorrow" }),
  // @ts-expect-error the owner is the caller
  () => db.tasks.create({ title: "t", user_id: id }),
  // @ts-expect-error the database keeps it
  () => db.tasks.create({ title: "t", created_at: "2026-11-21" }),
  // @ts-expect-error the database keeps it
  () => db.tasks.create({ title: "t", updated_at: "2026-11-21" }),
  // @ts-expect-error one of the rows is wrong
  () => db.tasks.createMany([{ title: "t" }, { title: "u", user_id: id }]),
  // @ts-expect-error one row is no list
  () => db.tasks.createMany({ title: "t" }),

  // @ts-expect-error a value of another type
  () => db.tasks.update(id, { completed: "yes" }),
  // @ts-expect-error no such column
  () => db.tasks.update(id, { due: "tomorrow" }),
  // @ts-expect-error an id stays
  () => db.tasks.update(id, { id }),
  // @ts-expect-error a row stays its owner's
  () => db.tasks.update(id, { user_id: id }),
  // @ts-expect-error the database keeps it
  () => db.tasks.update(id, { created_at: "2026-11-21" }),
  // @ts-expect-error the database keeps it
  () => db.tasks.update(id, { updated_at: "2026-11-21" }),
  // @ts-expect-error updated_at is a text
  () => db.tasks.update(id, { title: "t" }, { ifMatch: new Date() }),
  // @ts-expect-error undefined is not "whatever it is"
  () => db.tasks.delete(id, { ifMatch: undefined }),
  // @ts-expect-error no number is an id
  () => db.tasks.delete(1),
  // @ts-expect-error which row?
  () => db.tasks.get(),

  // @ts-expect-error no such column
  () => db.tasks.list({ where: { due: "tomorrow" } }),
  // @ts-expect-error a value of another type
  () => db.tasks.list({ where: { completed: "yes" } }),
  // @ts-expect-error never null
  () => db.tasks.list({ where: { title: null } }),
  // @ts-expect-error no such comparison
  () => db.tasks.list({ where: { title: { overlaps: "%" } } }),
  // @ts-expect-error an id is no text
  () => db.tasks.list({ where: { id: { contains: "a" } } }),
  // @ts-expect-error nothing is before or after in a boolean
  () => db.tasks.list({ where: { completed: { gt: false } } }),
  // @ts-expect-error a negation is not negated again
  () => db.tasks.list({ where: { title: { not: { not: "a" } } } }),
  // @ts-expect-error half a key
  () => db.tasks.get({ id }),
  // @ts-expect-error no such foreign key
  () => db.tasks.list({ with: { owner: "tasks_owner_fkey" } }),
  // @ts-expect-error no such place for rows without a value
  () => db.tasks.list({ sort: { by: "title", nulls: "middle" } }),
  // @ts-expect-error a boolean contains nothing
  () => db.tasks.list({ where: { completed: { contains: "t" } } }),
  // @ts-expect-error a value of another type
  () => db.tasks.list({ where: { title: { in: [1] } } }),
  // @ts-expect-error a list is wanted
  () => db.tasks.list({ where: { title: { in: "t" } } }),
  // @ts-expect-error no such column
  () => db.tasks.list({ search: { text: "t", in: ["due"] } }),
  // @ts-expect-error no column of text
  () => db.tasks.list({ search: { text: "t", in: ["completed"] } }),
  // @ts-expect-error no such column
  () => db.tasks.list({ sort: { by: "due" } }),
  // @ts-expect-error no such order
  () => db.tasks.list({ sort: { by: "title", order: "sideways" } }),
  // @ts-expect-error a number is wanted
  () => db.tasks.list({ limit: "5" }),
  // @ts-expect-error a table that is not related
  () => db.tasks.list({ with: ["tasks"] }),
  // @ts-expect-error no such table
  () => db.tasks.get(id, { with: ["nothing"] }),
  // @ts-expect-error it was not asked for
  async () => (await db.tasks.get(id)).users,
  // @ts-expect-error all() has pages of its own
  () => db.tasks.all({ after: "x" }),
  // @ts-expect-error a count has no order
  () => db.tasks.count({ sort: { by: "title" } }),

  // @ts-expect-error no such function
  () => db.rpc("nothing"),
  // @ts-expect-error it takes no arguments
  () => db.rpc("me", { id }),
  // @ts-expect-error no such table
  () => db.rest.from("nothing"),
  // @ts-expect-error a token is needed
  () => createRowhouse({ url: "" }),
  // @ts-expect-error a source of something else
  () => createRowhouse({ url: "", token: () => 1 }),
];

test("A developer's mistakes do not compile, and what is correct does", () => {
  // tsc has judged them; an unused @ts-expect-error is an error, too.
  expect(correct.length + mistaken.length).toBeGreaterThan(50);
});
