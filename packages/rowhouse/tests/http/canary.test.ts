import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import {
  type Answer,
  type Ask,
  type Caller,
  caller,
  claimsFor,
  secret,
  sign,
  signIn,
} from "../../src/testing/api.ts";
import { addTask, type Backend, newId, startBackend } from "./backend.ts";

// Alice's row holds words that occur nowhere else; no error that others get may hold one.
const alice = { id: randomUUID(), task: newId(), title: "canary-title", name: "canary-name" };
let api: Backend;
let callers: Caller[];
beforeAll(async () => {
  api = await startBackend();
  const owner = await signIn(api, alice.id);
  await addTask(owner, { id: alice.task, title: alice.title, description: "canary-description" });
  await owner.ask("/users", { method: "PATCH", body: { name: alice.name } });
  callers = [
    await signIn(api),
    caller(api),
    caller(api, "garbage"),
    caller(api, sign({ ...claimsFor(alice.id), exp: 1 })),
    caller(api, sign(claimsFor(randomUUID()))),
  ];
});
afterAll(() => api.stop());

const single = { accept: "application/vnd.pgrst.object+json" };
const post = (body: unknown): Ask => ({ method: "POST", body });
/** Requests that go wrong for everybody but their owner, and name nothing of hers themselves. */
const faulty: [string, Ask][] = [
  ["/tasks", { headers: single }],
  ["/tasks?limit=-1", {}],
  ["/tasks?offset=99", { headers: { prefer: "count=exact" } }],
  ["/tasks?id=eq.1", {}],
  ["/tasks?nope=eq.1", {}],
  ["/tasks?select=nope", {}],
  ["/tasks?select=nope(*)", {}],
  ["/tasks?title=nope.1", {}],
  ["/tasks?or=(", {}],
  ["/tasks?title=fts(no_such).x", {}],
  ["/tasks?title=match.*", {}],
  ["/tasks?title=eq.%ff", {}],
  ["/tasks", { headers: { accept: "application/xml" } }],
  ["/tasks", { headers: { "accept-profile": "private" } }],
  ["/tasks", post({ title: "" })],
  ["/tasks", post({ title: null })],
  ["/tasks", post({ title: "x", nope: 1 })],
  ["/tasks", post({ title: "x", id: 1 })],
  ["/tasks", post({ title: "x", user_id: randomUUID() })],
  ["/tasks", post({ title: "a\0" })],
  ["/tasks", { method: "POST", text: "{" }],
  ["/tasks", { method: "POST", text: "x", headers: { "content-type": "text/plain" } }],
  ["/tasks", { method: "PUT", body: {} }],
  ["/tasks", { method: "PATCH", body: { user_id: null } }],
  ["/tasks", { method: "PATCH", body: { created_at: null } }],
  ["/tasks", { method: "DELETE", headers: { prefer: "max-affected=0" } }],
  ["/tasks", { method: "PROPFIND" }],
  ["/users", { method: "DELETE" }],
  ["/users", post({ id: randomUUID() })],
  ["/users", post({})],
  ["/users?select=tasks(nope)", {}],
  ["/rpc/me", {}],
  ["/rpc/me", post({ x: 1 })],
  ["/rpc/nope", post({})],
  ["/nope", {}],
  ["/pg_catalog.pg_roles", {}],
  ["/", { method: "POST", body: {} }],
];

test("Nobody reads another's data or a secret in an error", async () => {
  const asked = faulty.flatMap(([path, ask]) => callers.map((someone) => someone.ask(path, ask)));
  const errors = (await Promise.all(asked)).filter(({ status }) => status >= 400);
  expect(errors.length).toBeGreaterThan(150);
  const words = [
    alice.id,
    alice.task,
    "canary",
    secret,
    inject("authenticatorPassword"),
    "127.0.0.1",
    "localhost",
    "5432",
    "uuid_v7",
    "request.",
    "private",
  ];
  const text = errors.map(shown).join("\n");
  expect(words.filter((word) => text.includes(word))).toEqual([]);
});

const shown = ({ body, headers }: Answer) => JSON.stringify([body, [...headers]]);

test("A DBA finds no token, password or row in PostgREST's log", () => {
  const log = readFileSync(api.logFile, "utf8");
  for (const word of [secret, inject("authenticatorPassword"), "canary", "eyJ"]) {
    expect(log).not.toContain(word);
  }
});
