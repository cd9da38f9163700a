import {
  type Api,
  caller,
  claimsFor,
  cloneDatabase,
  sign,
  signIn,
  startApi,
} from "rowhouse/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

let api: Api;
beforeAll(async () => {
  api = await startApi(await cloneDatabase());
});
afterAll(() => api.stop());

test("A user with a token signs in, and sees themselves alone", async () => {
  await signIn(api);
  const alice = await signIn(api);
  const { status, body } = await alice.ask("/users?select=id");
  expect({ status, body }).toEqual({ status: 200, body: [{ id: alice.id }] });
});

test("An anonymous caller sees no user", async () => {
  expect(await caller(api).ask("/users")).toMatchObject({ status: 401, body: { code: "42501" } });
});

test("A token that has expired is refused", async () => {
  const token = sign({ ...claimsFor("a11ce000-0000-4000-8000-000000000000"), exp: 1 });
  expect(await caller(api, token).ask("/users")).toMatchObject({ status: 401 });
});
