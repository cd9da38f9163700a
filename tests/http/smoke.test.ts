import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, signIn, startApi } from "../support/api.ts";
import { cloneDatabase } from "../support/database.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi(await cloneDatabase());
});
afterAll(() => api.stop());

test("a user creates a task and reads it back", async () => {
  const alice = await signIn(api);
  const created = await alice.ask("/tasks", {
    method: "POST",
    body: { title: "x" },
    headers: { prefer: "return=representation" },
  });
  expect(created.status).toBe(201);
  expect(await alice.ask("/tasks?select=title")).toMatchObject({
    status: 200,
    body: [{ title: "x" }],
  });
});
