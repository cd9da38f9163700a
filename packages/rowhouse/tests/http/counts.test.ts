import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "./backend.ts";

// A count that is planned or estimated comes from the planner, which knows all rows.
const canary = "canary-title";
const alice = randomUUID();
const mallory = randomUUID();
let api: Backend;

/** Alice has hundreds of tasks of one title, Mallory hundreds of other ones; the planner knows. */
beforeAll(async () => {
  api = await startBackend();
  await signIn(api, alice);
  await signIn(api, mallory);
  await api.sql(
    "insert into api.tasks (user_id, title) select $1, $2 from generate_series(1, 500)",
    [alice, canary],
  );
  await api.sql(
    "insert into api.tasks (user_id, title) select $1, 'own ' || i from generate_series(1, 1500) i",
    [mallory],
  );
  await api.sql("analyze api.tasks");
});
afterAll(() => api.stop());

/** fetch would join two headers of one name; PostgREST reads them apart. */
function count(path: string, prefer: string[]): Promise<string> {
  const authorization = `Bearer ${sign(claimsFor(mallory))}`;
  return new Promise((resolve, reject) => {
    const options = { method: "HEAD", headers: { authorization, prefer, range: "0-0" } };
    const asked = request(`${api.url}${path}`, options, ({ statusCode, headers }) =>
      resolve(`${statusCode} ${headers["content-range"]}`),
    );
    asked.on("error", reject).end();
  });
}

describe.each([
  [["count=exact"]],
  [["count=planned"]],
  [["count=estimated"]],
  [["count=planned", "return=minimal"]],
  [["count=estimated", "return=minimal"]],
])("The count that another user gets with Prefer %j", (prefer) => {
  test.each([
    ["a user's tasks", `user_id=eq.${alice}`, `user_id=eq.${randomUUID()}`],
    ["all but a user's tasks", `user_id=neq.${alice}`, `user_id=neq.${randomUUID()}`],
    ["a title", `title=eq.${canary}`, "title=eq.no-such-title"],
    ["all but a title", `title=neq.${canary}`, "title=neq.no-such-title"],
    ["titles from one on", "title=lt.canary-titlf", "title=lt.canary-titld"],
    ["one of two", `or=(title.eq.${canary},title.eq.x)`, "or=(title.eq.y,title.eq.x)"],
  ])("of %s is the same for hidden rows as for none", async (_, hidden, missing) => {
    expect(await count(`/tasks?${hidden}`, prefer)).toBe(await count(`/tasks?${missing}`, prefer));
  });
});
