import { afterAll, beforeAll, expect, test } from "vitest";
import { claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "../../src/testing/backend.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { type Odd, oddParts, sendOdd } from "./odd.ts";

const requests = 1500;
let backend: Backend;
let api: Postgrest;
let edge: Edge;
let token: string;
beforeAll(async () => {
  backend = await startBackend();
  api = await startPostgrest(backend.databaseUrl);
  edge = await startEdge({ apis: [api.address] });
  const owner = await signIn(edge);
  await owner.ask("/tasks", { method: "POST", body: { title: "canary-title" } });
  token = sign(claimsFor((await signIn(edge)).id));
});
afterAll(async () => {
  await edge.stop();
  await api.stop();
  await backend.stop();
});

/** Makes odd requests of the API, the same for the same seed. */
function oddities(seed: number): () => Odd {
  const { random, below, one, some, anyText, encode, headerText } = oddParts(seed);
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const column = () =>
    one(["id", "title", "user_id", "completed", "created_at", "nope", anyText()]);
  const operator = () =>
    one([
      "eq",
      "neq",
      "gt",
      "like",
      "ilike",
      "match",
      "in",
      "is",
      "fts",
      "cs",
      "cd",
      "ov",
      "sl",
      "nope",
    ]);
  const pair = () =>
    one([
      () => `${encode(column())}=${operator()}.${encode(anyText())}`,
      () =>
        `select=${encode(one([column(), `tasks(${column()})`, "*", "a:b", "title->x", "count()"]))}`,
      () => `order=${encode(`${column()}.${one(["asc", "desc", "nullsfirst", anyText()])}`)}`,
      () => `${one(["limit", "offset"])}=${encode(one(["-1", "0", "1", "x", "9".repeat(30)]))}`,
      () => `${one(["or", "and", "not.or"])}=${encode(`(${column()}.${operator()}.${anyText()})`)}`,
      () => `columns=${encode(column())}`,
      () => `on_conflict=${encode(column())}`,
    ])();
  const endpoint = () =>
    one([
      "/tasks",
      "/tasks",
      "/users",
      "/rpc/me",
      "/",
      "/nope",
      "/rpc/nope",
      "/auth/token",
      "/ready",
      "/..%2f..%2f",
      "//tasks",
      "/tasks/",
      `/${encode(anyText())}`,
      `/rpc/${encode(anyText())}`,
    ]);
  const jsonValue = (): unknown =>
    one<() => unknown>([
      () => anyText(),
      () => below(1e9),
      () => null,
      () => one([true, false]),
      () => [anyText()],
      () => ({ [anyText()]: anyText() }),
    ])();
  const body = (): Buffer =>
    one([
      () => Buffer.from(JSON.stringify({ title: jsonValue(), [column()]: jsonValue() })),
      () => Buffer.from(JSON.stringify(some(3, () => ({ title: jsonValue() })))),
      () => Buffer.from(JSON.stringify(jsonValue())),
      () => Buffer.from(deep(1 + below(20_000))),
      () =>
        Buffer.from(
          `{"title":${one(["1e999999999", "9".repeat(5000), "-", "tru", '"\\ud800"', '"\\u0000"'])}}`,
        ),
      () => Buffer.from(some(40, () => below(256))),
      () => Buffer.from([...Buffer.from('{"title":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
      () => Buffer.from("title,id\n"),
    ])();
  const header = (): [string, string] =>
    one<() => [string, string]>([
      () => [
        "prefer",
        one([
          "return=representation",
          "count=exact",
          "tx=rollback",
          "resolution=merge-duplicates",
          "max-affected=0",
          "missing=default",
          "handling=strict",
          headerText(),
        ]),
      ],
      () => ["range", one(["0-0", "9-1", "-", "0-", "items=0-1", headerText()])],
      () => [
        "accept",
        one([
          "text/csv",
          "application/vnd.pgrst.object+json",
          "application/geo+json",
          "application/vnd.pgrst.plan",
          "*/*",
          "image/png",
          headerText(),
        ]),
      ],
      () => [
        "content-type",
        one([
          "text/csv",
          "application/json",
          "application/x-www-form-urlencoded",
          "text/plain",
          "application/octet-stream",
          headerText(),
        ]),
      ],
      () => [
        one(["accept-profile", "content-profile"]),
        one(["api", "private", "pg_catalog", headerText()]),
      ],
      () => [
        "authorization",
        one(["Bearer", "Bearer x.y.z", "Basic eDp5", `Bearer ${token}x`, headerText()]),
      ],
      () => ["if-match", headerText()],
      () => ["x-request-id", headerText()],
      () => ["x-name", headerText()],
    ])();
  return () => {
    const method = one([
      "GET",
      "GET",
      "GET",
      "HEAD",
      "POST",
      "POST",
      "PATCH",
      "PUT",
      "DELETE",
      "OPTIONS",
      "PROPFIND",
    ]);
    const query = some(3, pair).join("&");
    return {
      method,
      path: `${endpoint()}${query === "" ? "" : `?${query}`}`,
      headers: Object.fromEntries([["authorization", `Bearer ${token}`], ...some(3, header)]),
      body: /^P/.test(method) && random() < 0.9 ? body() : undefined,
    };
  };
}

test("Odd requests, by generation, are answered: no 5xx, no leak, errors in JSON with a code", async () => {
  const { seed, statuses, faults } = await sendOdd(edge, oddities, requests);
  expect(faults.slice(0, 5), `TEST_SEED=${seed}, ${faults.length} faults`).toEqual([]);
  // It asks what is served, too, and not only what the edge refuses.
  expect(statuses.get(200)).toBeGreaterThan(20);
});
