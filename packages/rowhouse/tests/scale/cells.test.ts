import { afterAll, beforeAll, expect, test } from "vitest";
import { bucketOf } from "../../src/cells/map.ts";
import { type Caller, caller, claimsFor, sign, signIn, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { type Cells, rowsOf, signInTo, startCells } from "./cells.ts";

let cells: Cells;
beforeAll(async () => {
  cells = await startCells();
});
afterAll(() => cells?.stop());

test("Every user is served by one cell: that of their bucket", async () => {
  const users = await Promise.all(Array.from({ length: 40 }, () => signIn(cells.edge)));
  for (const user of users) {
    await user.ask("/tasks", { method: "POST", body: { title: "mine" } });
    const inB = bucketOf(user.id) >= 512;
    const rows = { users: 1, tasks: 1 };
    const none = { users: 0, tasks: 0 };
    expect([await rowsOf(cells.a, user), await rowsOf(cells.b, user)]).toEqual(
      inB ? [none, rows] : [rows, none],
    );
    expect((await user.ask("/tasks?select=title")).body).toEqual([{ title: "mine" }]);
  }
  expect(new Set(users.map(({ id }) => bucketOf(id) >= 512)).size).toBe(2);
});

test("The spelling of a token's sub makes no other user of them, and a sub that is no UUID has a cell", async () => {
  for (const cell of ["a", "b"] as const) {
    const user = await signInTo(cells, cell);
    const capitals = sign({ ...claimsFor(user.id), sub: user.id.toUpperCase() });
    await caller(cells.edge, capitals).ask("/tasks", { method: "POST", body: { title: "same" } });
    expect((await user.ask("/tasks?select=title")).body).toEqual([{ title: "same" }]);
  }
  for (let turn = 0; turn < 8; turn += 1) {
    const user = caller(cells.edge, sign({ ...claimsFor("x"), sub: `auth0|${turn}` }));
    expect((await user.ask("/tasks", { method: "POST", body: { title: "t" } })).status).toBe(201);
    expect((await user.ask("/tasks?select=title")).body).toEqual([{ title: "t" }]);
  }
});

test("A forged token, and none, are 401 in either cell", async () => {
  const stack = await oneStack();
  const expected = await caller(
    stack,
    sign(claimsFor("x"), "another-secret-of-32-characters!!"),
  ).ask("/tasks");
  expect(expected.status).toBe(401);
  for (const cell of ["a", "b"] as const) {
    const { id } = await signInTo(cells, cell);
    const forged = caller(cells.edge, sign(claimsFor(id), "another-secret-of-32-characters!!"));
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await forged.ask("/tasks", {
        method,
        ...(method === "POST" ? { body: {} } : {}),
      });
      expect([answer.status, answer.body]).toEqual([401, expected.body]);
    }
  }
  expect((await caller(cells.edge).ask("/tasks")).status).toBe(401);
  await stack.stop();
});

test("What one user tries on another's rows is answered from another cell as on one stack", async () => {
  const stack = await oneStack();
  const apart = [await signInTo(cells, "a"), await signInTo(cells, "b")] as const;
  const together = [await signIn(stack), await signIn(stack)] as const;
  const [here, there] = [await attack(...apart), await attack(...together)];
  expect(here.length).toBeGreaterThan(20);
  expect(here).toEqual(there);
  expect(await attack(apart[1], apart[0])).toEqual(there);
  // Nothing of it changed the owner's row.
  expect((await apart[0].ask("/tasks?select=title")).body).toEqual([{ title: "hers" }]);
  await stack.stop();
});

/** Both users in one database, without an edge's cells. */
async function oneStack() {
  return startApi(await cloneDatabase());
}

/** What comes of all that the one tries on a row of the other, without what differs between any two runs. */
async function attack(attacker: Caller, owner: Caller): Promise<unknown[]> {
  await owner.ask("/tasks", { method: "DELETE" });
  await attacker.ask("/tasks", { method: "DELETE" });
  const created = await owner.ask("/tasks", {
    method: "POST",
    body: { title: "hers" },
    headers: { prefer: "return=representation" },
  });
  const [{ id }] = created.body as [{ id: string }];
  const filters = [
    `id=eq.${id}`,
    `user_id=eq.${owner.id}`,
    `user_id=eq.${owner.id}&id=eq.${id}`,
    "title=eq.hers",
  ];
  const tries: [string, string, unknown?][] = [
    ...filters.map((filter): [string, string] => ["GET", `/tasks?${filter}`]),
    ...filters.map((filter): [string, string] => ["GET", `/tasks?${filter}&select=*,users(*)`]),
    ...filters.map((filter): [string, string, unknown] => [
      "PATCH",
      `/tasks?${filter}`,
      { title: "his" },
    ]),
    ...filters.map((filter): [string, string] => ["DELETE", `/tasks?${filter}`]),
    ["POST", "/tasks", { user_id: owner.id, title: "planted" }],
    ["POST", "/tasks", { user_id: owner.id, id, title: "planted" }],
    ["PUT", `/tasks?user_id=eq.${owner.id}&id=eq.${id}`, { user_id: owner.id, id, title: "his" }],
    ["GET", `/users?id=eq.${owner.id}`],
    ["PATCH", `/users?id=eq.${owner.id}`, { name: "his" }],
    ["POST", "/users", { id: owner.id }],
  ];
  const answers: unknown[] = [];
  for (const [method, path, body] of tries) {
    const prefer = { prefer: "return=representation,count=exact" };
    const {
      status,
      body: got,
      headers,
    } = await attacker.ask(path, {
      method,
      headers: prefer,
      ...(body === undefined ? {} : { body }),
    });
    const text = JSON.stringify(got ?? null)
      .replaceAll(owner.id, "<owner>")
      .replaceAll(attacker.id, "<attacker>")
      .replaceAll(id, "<id>");
    answers.push([method, status, text, headers.get("content-range")]);
  }
  return answers;
}
