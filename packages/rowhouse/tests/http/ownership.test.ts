import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Answer,
  type Ask,
  type Caller,
  caller,
  claimsFor,
  sign,
  signIn,
} from "../../src/testing/api.ts";
import { type Backend, everything, newId, type Row, refusal, startBackend } from "./backend.ts";
import { expiredToken, invalidToken } from "./spellings.ts";

/** A row that somebody may be after. */
interface Target {
  readonly user: string;
  readonly task: string;
}

/** One way to reach for a row. */
interface Attempt {
  readonly path: (target: Target) => string;
  readonly ask?: (target: Target) => Ask;
  /** What somebody else gets for it. */
  readonly foreign: ReturnType<typeof refusal>;
  /** What the owner gets for it: a status, which also shows that the attempt is a sound request. */
  readonly own: number;
}

const canary = "canary-title";
const owner: Target = { user: randomUUID(), task: newId() };
const absent = (): Target => ({ user: randomUUID(), task: newId() });
let api: Backend;
let alice: Caller;
let mallory: Caller;

beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api, owner.user);
  mallory = await signIn(api);
});
afterAll(() => api.stop());

/** Alice has one task and a name, Mallory another task. */
beforeEach(async () => {
  await api.sql("truncate api.tasks");
  await api.sql("insert into api.tasks (user_id, id, title) values ($1, $2, $3), ($4, $5, 'own')", [
    owner.user,
    owner.task,
    canary,
    mallory.id,
    newId(),
  ]);
});

const seesNothing = { status: 200, body: [] };
const readsNothing = { status: 200, body: undefined };
const changesNothing = { status: 204, body: undefined };
const notOne = refusal(406, "PGRST116");
const forbidden = (table: string) =>
  refusal(403, "42501", {
    message: `new row violates row-level security policy for table "${table}"`,
    details: null,
  });
const notGranted = (table: string) =>
  refusal(403, "42501", { message: `permission denied for table ${table}`, details: null });

const taskKey = ({ user, task }: Target) => `/tasks?user_id=eq.${user}&id=eq.${task}`;
const taskById = ({ task }: Target) => `/tasks?id=eq.${task}`;
const tasksOf = ({ user }: Target) => `/tasks?user_id=eq.${user}`;
const userById = ({ id }: { id: string }) => `/users?id=eq.${id}`;
const theUser = ({ user }: Target) => userById({ id: user });
const tasks = () => "/tasks";
const users = () => "/users";

const row = ({ user, task }: Target): Row => ({
  user_id: user,
  id: task,
  title: "taken",
  description: "",
  completed: true,
});
const send =
  (method: string, prefer = "", body?: (target: Target) => unknown, headers: Row = {}) =>
  (target: Target): Ask => ({
    method,
    headers: { prefer, ...(headers as Record<string, string>) },
    body: body?.(target),
  });
const own = () => ({ id: newId(), title: "own too", description: "", completed: false });
const mixed = (target: Target) => [{ ...own(), user_id: mallory.id }, row(target)];
const ownedBy = (target: Target) => [{ ...row(target), id: newId() }, row(target)];
const named = ({ user }: Target) => ({ id: user, name: "taken" });
const change = () => ({ title: "taken", completed: true });
const rename = () => ({ name: "taken" });
const give = (target: Target) => ({ user_id: target.user });
const single = { accept: "application/vnd.pgrst.object+json" };
const stale = { "if-match": "2000-01-01" };
const garbled = { "if-match": "garbage" };

const attempts: Record<string, Attempt> = {
  "GET /tasks by key": { path: taskKey, own: 200, foreign: seesNothing },
  "GET /tasks by id": { path: taskById, own: 200, foreign: seesNothing },
  "GET /tasks by user_id": { path: tasksOf, own: 200, foreign: seesNothing },
  "GET /tasks by title": {
    path: () => `/tasks?title=eq.${canary}`,
    own: 200,
    foreign: seesNothing,
  },
  "GET /tasks, one": {
    path: taskKey,
    ask: send("GET", "", undefined, single),
    own: 200,
    foreign: notOne,
  },
  "GET /tasks, counted": {
    path: taskKey,
    ask: send("GET", "count=exact"),
    own: 200,
    foreign: seesNothing,
  },
  "HEAD /tasks": { path: taskKey, ask: send("HEAD"), own: 200, foreign: readsNothing },
  "HEAD /tasks, counted": {
    path: tasksOf,
    ask: send("HEAD", "count=exact"),
    own: 200,
    foreign: readsNothing,
  },
  "POST /tasks": { path: tasks, ask: send("POST", "", row), own: 409, foreign: forbidden("tasks") },
  "POST /tasks, returned": {
    path: tasks,
    ask: send("POST", "return=representation", row),
    own: 409,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, address returned": {
    path: tasks,
    ask: send("POST", "return=headers-only", row),
    own: 409,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, merged": {
    path: tasks,
    ask: send("POST", "resolution=merge-duplicates", row),
    own: 200,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, merged and returned": {
    path: tasks,
    ask: send("POST", "resolution=merge-duplicates, return=representation", row),
    own: 200,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, ignored": {
    path: tasks,
    ask: send("POST", "resolution=ignore-duplicates", row),
    own: 201,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, ignored and returned": {
    path: tasks,
    ask: send("POST", "resolution=ignore-duplicates, return=representation", row),
    own: 201,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, many": {
    path: tasks,
    ask: send("POST", "", ownedBy),
    own: 409,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, one among Mallory's": {
    path: tasks,
    ask: send("POST", "", mixed),
    own: 403,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, one among Mallory's, merged": {
    path: tasks,
    ask: send("POST", "resolution=merge-duplicates", mixed),
    own: 403,
    foreign: forbidden("tasks"),
  },
  "POST /tasks, one among Mallory's, ignored": {
    path: tasks,
    ask: send("POST", "resolution=ignore-duplicates", mixed),
    own: 403,
    foreign: forbidden("tasks"),
  },
  "PATCH /tasks by key": {
    path: taskKey,
    ask: send("PATCH", "", change),
    own: 204,
    foreign: changesNothing,
  },
  "PATCH /tasks by id": {
    path: taskById,
    ask: send("PATCH", "count=exact", change),
    own: 204,
    foreign: changesNothing,
  },
  "PATCH /tasks by user_id": {
    path: tasksOf,
    ask: send("PATCH", "", change),
    own: 204,
    foreign: changesNothing,
  },
  "PATCH /tasks, returned": {
    path: taskKey,
    ask: send("PATCH", "return=representation, count=exact", change),
    own: 200,
    foreign: seesNothing,
  },
  "PATCH /tasks, one": {
    path: taskKey,
    ask: send("PATCH", "return=representation", change, single),
    own: 200,
    foreign: notOne,
  },
  "PATCH /tasks, faulty": {
    path: taskKey,
    ask: send("PATCH", "", () => ({ title: "" })),
    own: 400,
    foreign: changesNothing,
  },
  "PATCH /tasks, to their owner": {
    path: taskKey,
    ask: send("PATCH", "", give),
    own: 204,
    foreign: changesNothing,
  },
  "PATCH /tasks, conditionally": {
    path: taskKey,
    ask: send("PATCH", "", change, stale),
    own: 412,
    foreign: changesNothing,
  },
  "PATCH /tasks, on a faulty condition": {
    path: taskKey,
    ask: send("PATCH", "", change, garbled),
    own: 400,
    foreign: changesNothing,
  },
  "PATCH /tasks, none allowed": {
    path: taskKey,
    ask: send("PATCH", "max-affected=0", change),
    own: 400,
    foreign: changesNothing,
  },
  "PUT /tasks": { path: taskKey, ask: send("PUT", "", row), own: 204, foreign: forbidden("tasks") },
  "PUT /tasks, returned": {
    path: taskKey,
    ask: send("PUT", "return=representation", row),
    own: 200,
    foreign: forbidden("tasks"),
  },
  "DELETE /tasks by key": { path: taskKey, ask: send("DELETE"), own: 204, foreign: changesNothing },
  "DELETE /tasks by user_id": {
    path: tasksOf,
    ask: send("DELETE", "count=exact"),
    own: 204,
    foreign: changesNothing,
  },
  "DELETE /tasks, returned": {
    path: taskKey,
    ask: send("DELETE", "return=representation, count=exact"),
    own: 200,
    foreign: seesNothing,
  },
  "DELETE /tasks, one": {
    path: taskKey,
    ask: send("DELETE", "return=representation", undefined, single),
    own: 200,
    foreign: notOne,
  },
  "DELETE /tasks, conditionally": {
    path: taskKey,
    ask: send("DELETE", "", undefined, stale),
    own: 412,
    foreign: changesNothing,
  },
  "GET /users": { path: theUser, own: 200, foreign: seesNothing },
  "GET /users, one": {
    path: theUser,
    ask: send("GET", "", undefined, single),
    own: 200,
    foreign: notOne,
  },
  "GET /users by email": {
    path: ({ user }) => `/users?email=eq.${user}@example.com`,
    own: 200,
    foreign: seesNothing,
  },
  "HEAD /users, counted": {
    path: theUser,
    ask: send("HEAD", "count=exact"),
    own: 200,
    foreign: readsNothing,
  },
  "POST /users": {
    path: users,
    ask: send("POST", "", named),
    own: 403,
    foreign: forbidden("users"),
  },
  "POST /users, with the email": {
    path: users,
    ask: send("POST", "", ({ user }) => ({ id: user, email: `${user}@example.com` })),
    own: 409,
    foreign: forbidden("users"),
  },
  "POST /users, returned": {
    path: users,
    ask: send("POST", "return=representation", named),
    own: 403,
    foreign: forbidden("users"),
  },
  "POST /users, merged": {
    path: users,
    ask: send("POST", "resolution=merge-duplicates", named),
    own: 403,
    foreign: notGranted("users"),
  },
  "POST /users, ignored": {
    path: users,
    ask: send("POST", "resolution=ignore-duplicates", named),
    own: 403,
    foreign: forbidden("users"),
  },
  "PATCH /users": {
    path: theUser,
    ask: send("PATCH", "", rename),
    own: 204,
    foreign: changesNothing,
  },
  "PATCH /users, returned": {
    path: theUser,
    ask: send("PATCH", "return=representation", rename),
    own: 200,
    foreign: seesNothing,
  },
  "PATCH /users, email": {
    path: theUser,
    ask: send("PATCH", "", () => ({ email: "a@b.c" })),
    own: 403,
    foreign: notGranted("users"),
  },
  "PUT /users": {
    path: theUser,
    ask: send("PUT", "", ({ user }) => ({ id: user, email: null, name: "taken" })),
    own: 403,
    foreign: notGranted("users"),
  },
  "DELETE /users": { path: theUser, ask: send("DELETE"), own: 403, foreign: notGranted("users") },
  "DELETE /users, returned": {
    path: theUser,
    ask: send("DELETE", "return=representation"),
    own: 403,
    foreign: notGranted("users"),
  },
  "GET their tasks through themselves": {
    path: ({ user }) => `/users?select=*,tasks(*)&id=eq.${user}`,
    own: 200,
    foreign: seesNothing,
  },
  "GET themselves through their tasks": {
    path: ({ user, task }) => `/tasks?select=*,users!inner(*)&id=eq.${task}&users.id=eq.${user}`,
    own: 200,
    foreign: seesNothing,
  },
};

const matrix = Object.entries(attempts);
const reach = (someone: Caller, { path, ask }: Attempt, target: Target) =>
  someone.ask(path(target), ask?.(target));

/** An answer without the ids and times that differ between two that are alike. */
function alike({ status, headers, body }: Answer, { user, task }: Target): unknown {
  const names = [
    "content-range",
    "preference-applied",
    "content-type",
    "content-location",
    "location",
    "www-authenticate",
  ];
  const shown = Object.fromEntries(names.map((name) => [name, headers.get(name)]));
  const text = JSON.stringify({ status, shown, body });
  return JSON.parse(text.replaceAll(user, "<user>").replaceAll(task, "<task>"));
}

describe.each(matrix)("%s", (_, attempt) => {
  test("gives another user what it gives for a row that is not there, and changes nothing", async () => {
    const before = await everything(api);
    const hidden = await reach(mallory, attempt, owner);
    expect(hidden).toMatchObject(attempt.foreign);
    const nowhere = absent();
    const missing = await reach(mallory, attempt, nowhere);
    expect(alike(hidden, owner)).toEqual(alike(missing, nowhere));
    expect(JSON.stringify(hidden.body ?? "")).not.toContain(canary);
    expect(await everything(api)).toEqual(before);
  });

  test("is a sound request, which its owner may make or not", async () => {
    expect((await reach(alice, attempt, owner)).status).toBe(attempt.own);
  });

  test("reaches nothing for anonymous callers and refused tokens", async () => {
    const before = await everything(api);
    const claims = claimsFor(owner.user);
    const refused: [Caller, Partial<Answer>][] = [
      [caller(api), refusal(401, "42501", { message: "permission denied for schema api" })],
      [caller(api, sign({ ...claims, exp: 1 })), expiredToken],
      [caller(api, sign(claims, "another-secret-that-is-long-enough")), invalidToken],
      [caller(api, sign({ ...claims, sub: undefined })), refusal(401, "PT401")],
    ];
    for (const [anyone, expected] of refused) {
      const answer = await reach(anyone, attempt, owner);
      const isHead = attempt.ask?.(owner).method === "HEAD";
      expect(answer).toMatchObject(isHead ? { status: 401, body: undefined } : expected);
      expect(JSON.stringify(answer.body ?? "")).not.toContain(canary);
    }
    expect(await everything(api)).toEqual(before);
  });
});

describe("Another user", () => {
  const alices = () => api.sql("select * from api.tasks where user_id = $1", [owner.user]);

  test.each([
    [""],
    ["return=representation"],
    ["resolution=merge-duplicates"],
    ["resolution=ignore-duplicates"],
  ])("creates a task with the id of a hidden one as with any other (%s)", async (prefer) => {
    const before = await alices();
    const create = (id: string) =>
      mallory.ask("/tasks", { method: "POST", headers: { prefer }, body: { id, title: "own" } });
    const free = absent();
    const [taken, unused] = [await create(owner.task), await create(free.task)];
    expect(taken.status).toBe(201);
    const clocks = /\d{4}-\d\d-\d\dT[\d:.+]+/g;
    const shown = (answer: Answer, target: Target) =>
      JSON.stringify(alike(answer, target)).replace(clocks, "<time>");
    expect(shown(taken, owner)).toBe(shown(unused, free));
    expect(await alices()).toEqual(before);
  });

  test("cannot give a task away, nor take the place of another's", async () => {
    const before = await everything(api);
    for (const body of [{ user_id: owner.user }, { user_id: owner.user, id: owner.task }]) {
      for (const prefer of ["", "return=representation"]) {
        const answer = await mallory.ask("/tasks", { method: "PATCH", headers: { prefer }, body });
        expect(answer).toMatchObject(forbidden("tasks"));
      }
    }
    expect(await everything(api)).toEqual(before);
  });

  test.each([
    ["PATCH", ""],
    ["PATCH", "?id=not.is.null"],
    ["PATCH", "?or=(title.eq.own,title.neq.own)"],
    ["PATCH", `?user_id=neq.${randomUUID()}`],
    ["DELETE", ""],
    ["DELETE", "?id=not.is.null"],
    ["DELETE", `?user_id=in.(${owner.user},${randomUUID()})`],
    ["DELETE", "?user_id=not.is.null"],
  ])("by %s /tasks%s touches none but their own", async (method, query) => {
    const before = await alices();
    const body = method === "PATCH" ? { title: "taken" } : undefined;
    // Only a write that neither filters nor returns a column does without the select policy.
    for (const form of ["return=minimal", "return=representation"]) {
      const headers = { prefer: `${form}, max-affected=1000` };
      const answer = await mallory.ask(`/tasks${query}`, { method, headers, body });
      expect([200, 204]).toContain(answer.status);
      for (const { user_id } of (answer.body ?? []) as Row[]) expect(user_id).toBe(mallory.id);
    }
    expect(await alices()).toEqual(before);
  });

  test.each([["return=minimal"], ["return=representation"]])(
    "by PATCH /users without a filter touches none but themselves (%s)",
    async (prefer) => {
      const name = `mallory ${prefer}`;
      const answer = await mallory.ask("/users", {
        method: "PATCH",
        headers: { prefer },
        body: { name },
      });
      expect([200, 204]).toContain(answer.status);
      const renamed = await api.sql("select id from api.users where name = $1", [name]);
      expect(renamed).toEqual([{ id: mallory.id }]);
    },
  );

  test.each([
    ["/tasks?select=user_id"],
    ["/tasks?select=user_id&order=title"],
    ["/tasks?select=user_id,users(id)&order=users(id).desc"],
    [`/tasks?select=user_id&or=(user_id.eq.${owner.user},title.eq.own)`],
    [`/tasks?select=user_id&or=(id.eq.${owner.task},title.neq.${canary})`],
    ["/tasks?select=user_id&title=not.eq.x"],
    ["/tasks?select=user_id&user_id=not.is.null"],
    ["/users?select=tasks(user_id)&limit=1"],
  ])("by GET %s reads none but their own", async (path) => {
    const answer = await mallory.ask(path);
    expect(answer).toMatchObject({ status: 200 });
    const ids = JSON.stringify(answer.body).match(/[0-9a-f-]{36}/g);
    expect(new Set(ids)).toEqual(new Set([mallory.id]));
  });
});
