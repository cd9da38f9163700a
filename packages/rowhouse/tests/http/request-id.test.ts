import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ask, type Caller, caller, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "./backend.ts";

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend(
    {},
    `
    create function api.which() returns text language sql stable
    as $$ select current_setting('application_name') $$;
    grant execute on function api.which() to authenticated;
  `,
  );
  alice = await signIn(api);
});
afterAll(() => api.stop());

const sent = { "x-request-id": "req-42" };

test.each<[string, string, Ask, number]>([
  ["has rows", "/tasks", {}, 200],
  ["breaks a rule", "/tasks", { method: "POST", body: { title: "" } }, 400],
  ["is not granted", "/users", { method: "DELETE" }, 403],
  ["names nothing that is there", "/nope", {}, 404],
  ["asks what there is", "/", {}, 200],
])("A caller gets the id of a request back that %s", async (_, path, ask, status) => {
  const answer = await alice.ask(path, { ...ask, headers: sent });
  expect([answer.status, answer.headers.get("x-request-id")]).toEqual([status, "req-42"]);
});

test("A caller whose token is refused gets the id of the request back", async () => {
  for (const token of ["garbage", undefined]) {
    const answer = await caller(api, token).ask("/tasks", { headers: sent });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([401, "req-42"]);
  }
});

test("A caller who sends no id gets the one that the database knows the request by", async () => {
  const ids = new Set<string | undefined>();
  for (let turn = 0; turn < 3; turn += 1) {
    const { body, headers } = await alice.ask("/rpc/which", { method: "POST" });
    // PostgREST's own repeats what was sent, which is nothing: it comes first, and is empty.
    const id = headers.get("x-request-id")?.replace(/^, /, "");
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toBe(`rowhouse ${id}`);
    ids.add(id);
  }
  expect(ids.size).toBe(3);
});
