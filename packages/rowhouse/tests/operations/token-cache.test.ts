import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { type Api, caller, claimsFor, sign, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { alice } from "../support/people.ts";

// With the project's postgrest.conf, whose cache of checked tokens is on.
let api: Api;
beforeAll(async () => {
  api = await startApi(await cloneDatabase());
});
afterAll(() => api.stop());

const askWith = (claims: Record<string, unknown>) => {
  const token = sign({ ...claimsFor(alice), ...claims });
  return async () => {
    const { status, body } = await caller(api, token).ask("/tasks");
    return { status, code: (body as { code?: string }).code };
  };
};

test("A token that PostgREST has cached is refused when it has ended, by PostgREST itself", async () => {
  const askTasks = askWith({ exp: Math.floor(Date.now() / 1000) + 2 });
  expect((await askTasks()).status).toBe(200);
  // After 30 s for clocks that differ request.check() refuses it (PT401), and a moment later, unless it
  // went on believing its cache, PostgREST itself.
  const codes = new Set<string | undefined>();
  const isRefused = async () => {
    const { status, code } = await askTasks();
    codes.add(status === 200 ? "served" : code);
    return code?.startsWith("PGRST30") ? true : undefined;
  };
  expect(await waitFor(isRefused, 250, 60_000)).toBe(true);
  expect([...codes][0]).toBe("served");
  expect((await askTasks()).status).toBe(401);
});

test("A token that request.check() refuses is refused each time, cached or not", async () => {
  const askTasks = askWith({ aud: "another" });
  for (let time = 0; time < 3; time += 1) {
    expect(await askTasks()).toEqual({ status: 401, code: "PT401" });
  }
});
