import { randomUUID } from "node:crypto";
import {
  type Backend,
  type Caller,
  caller,
  claimsFor,
  errorAnswer,
  readRows,
  returnRows,
  sign,
  signIn,
  startBackend,
  type TestRow,
} from "rowhouse/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let api: Backend;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api);
  bob = await signIn(api);
});
afterAll(() => api.stop());

const allUsers = () => api.sql("select * from api.users order by id");

/** A new user, who has never called, with an email claim; undefined leaves it out. */
function newUser(email?: unknown): Caller {
  const id = randomUUID();
  return caller(api, sign({ ...claimsFor(id), email }), id);
}

const me = (someone: Caller) => someone.ask("/rpc/me", { method: "POST" });
const rename = (someone: Caller, name: unknown) =>
  someone.ask(`/users?id=eq.${someone.id}`, {
    method: "PATCH",
    headers: returnRows,
    body: { name },
  });

describe("A new user", () => {
  test("is created by the first call of me, from the claims of the token", async () => {
    const someone = newUser("new@example.com");
    expect(await readRows(someone, "/users")).toEqual([]);
    const created = await me(someone);
    expect(created).toMatchObject({
      status: 200,
      body: { id: someone.id, email: "new@example.com", name: null },
    });
    expect(await readRows(someone, "/users")).toEqual([created.body]);
  });

  test("gets the same row from each further call of me", async () => {
    const someone = newUser("new@example.com");
    const first = await me(someone);
    expect((await me(someone)).body).toEqual(first.body);
  });

  test("is one row after ten first calls at once", async () => {
    const someone = newUser("new@example.com");
    const answers = await Promise.all(Array.from({ length: 10 }, () => me(someone)));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200, body: { id: someone.id } });
    }
    expect(await readRows(someone, "/users")).toHaveLength(1);
  });

  test.each([[undefined], [null], [""]])("without an email (%j) has none", async (email) => {
    expect(await me(newUser(email))).toMatchObject({ status: 200, body: { email: null } });
  });

  test.each([["nope"], [1], [{ a: 1 }], ["a@b\nc"], [`${"x".repeat(320)}@example.com`]])(
    "whose email claim is none (%j) is refused",
    async (email) => {
      const someone = newUser(email);
      expect(await me(someone)).toMatchObject(
        errorAnswer(400, "23514", { message: expect.stringContaining("users_email_form") }),
      );
      expect(await readRows(someone, "/users")).toEqual([]);
    },
  );

  test("may have the email address of another: it is no key", async () => {
    const email = "shared@example.com";
    expect(await me(newUser(email))).toMatchObject({ status: 200 });
    expect(await me(newUser(email))).toMatchObject({ status: 200, body: { email } });
  });

  test("may create their own row by POST, with the email of the token alone", async () => {
    const someone = newUser("own@example.com");
    const create = (email: string) =>
      someone.ask("/users", { method: "POST", body: { id: someone.id, email, name: "New" } });
    expect(await create("other@example.com")).toMatchObject(errorAnswer(403, "42501"));
    expect(await create("own@example.com")).toMatchObject({ status: 201 });
    expect(await create("own@example.com")).toMatchObject(errorAnswer(409, "23505"));
    expect(await me(someone)).toMatchObject({ body: { name: "New" } });
  });
});

test("A user's email stays as it was created, whatever a later token says", async () => {
  const again = caller(api, sign({ ...claimsFor(alice.id), email: "later@example.com" }), alice.id);
  expect(await me(again)).toMatchObject({ body: { email: `${alice.id}@example.com` } });
});

test("A user who calls me by GET gets an error: it may write", async () => {
  for (const someone of [alice, newUser()]) {
    expect(await someone.ask("/rpc/me")).toMatchObject(errorAnswer(405, "25006"));
  }
});

test("A user who gives me an argument gets an error: it takes none", async () => {
  expect(await alice.ask("/rpc/me", { method: "POST", body: { id: bob.id } })).toMatchObject(
    errorAnswer(404, "PGRST202"),
  );
});

test("A user sees themselves and nobody else", async () => {
  expect(await readRows(alice, "/users")).toMatchObject([{ id: alice.id }]);
  expect(await readRows(bob, "/users?select=id")).toEqual([{ id: bob.id }]);
});

test("A user gives themselves a name and takes it off", async () => {
  expect(await rename(alice, "Alice")).toMatchObject({ status: 200, body: [{ name: "Alice" }] });
  expect(await rename(alice, null)).toMatchObject({ status: 200, body: [{ name: null }] });
});

const own = (row: TestRow) => ({ id: alice.id, ...row });
test.each([
  ["change their email", "PATCH", "", () => ({ email: "new@example.com" })],
  ["change their id", "PATCH", "", () => ({ id: bob.id })],
  ["set created_at", "PATCH", "", () => ({ created_at: "2000-01-01" })],
  ["set updated_at", "PATCH", "", () => ({ updated_at: "2000-01-01" })],
  ["merge into their row", "POST", "resolution=merge-duplicates", () => own({ name: "x" })],
  ["put their row", "PUT", "", () => own({ name: "x", email: null })],
  ["delete themselves", "DELETE", "", () => undefined],
  ["create a row with another id", "POST", "", () => ({ id: randomUUID() })],
  ["create a row without an id", "POST", "", () => ({ name: "x" })],
])("A user cannot %s", async (_, method, prefer, body) => {
  const before = await allUsers();
  const path = method === "POST" ? "/users" : `/users?id=eq.${alice.id}`;
  const answer = await alice.ask(path, { method, headers: { prefer }, body: body() });
  expect(answer).toMatchObject(errorAnswer(403, "42501"));
  expect(await allUsers()).toEqual(before);
});
