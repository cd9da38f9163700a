import { afterAll, beforeAll, expect, test } from "vitest";
import { type Caller, caller, signIn } from "../../src/testing/api.ts";
import { type Backend, refusal, startBackend } from "./backend.ts";

interface Operation {
  readonly summary?: string;
}
interface Definition {
  readonly description: string;
  readonly properties: Record<string, { description?: string; default?: unknown }>;
}
interface Document {
  readonly info: { title: string };
  readonly host: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly definitions: Record<string, Definition>;
}

let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend(
    {},
    `
      create table api.hidden (id int primary key);
      create function api.concealed() returns int language sql as 'select 1';
    `,
  );
  alice = await signIn(api);
});
afterAll(() => api.stop());

const read = async (someone: Caller) => (await someone.ask("/")).body as Document;
const verbs = ({ paths }: Document) =>
  Object.fromEntries(Object.entries(paths).map(([path, verbs]) => [path, Object.keys(verbs)]));

test("An anonymous caller sees the description, and nothing in it", async () => {
  const document = await read(caller(api));
  expect(document.info.title).toMatch(/^Rowhouse/);
  expect(verbs(document)).toEqual({ "/": ["get"] });
  expect(document.definitions ?? {}).toEqual({});
  expect(JSON.stringify(document)).not.toMatch(/"(tasks|me|email)"/);
});

// PostgREST goes by what a table can do, not by which verbs are granted: it lists DELETE /users
// and GET /rpc/me, which answer 403 and 405, and never lists PUT.
test("A user sees the tables and functions that they may use", async () => {
  const answer = await alice.ask("/");
  expect(answer.headers.get("content-type")).toBe("application/openapi+json; charset=utf-8");
  expect(verbs(answer.body as Document)).toEqual({
    "/": ["get"],
    "/users": ["get", "post", "delete", "patch"],
    "/tasks": ["get", "post", "delete", "patch"],
    "/rpc/me": ["get", "post"],
  });
});

test("A user sees no table and no function that was not granted", async () => {
  expect(JSON.stringify(await read(alice))).not.toMatch(/hidden|concealed/);
  for (const path of ["/hidden", "/rpc/concealed"]) {
    expect(await alice.ask(path)).toMatchObject(refusal(403, "42501"));
  }
});

test("A user finds every comment as a description", async () => {
  const { paths, definitions } = await read(alice);
  const comments = await api.sql(`
    select c.relname as table, a.attname as column, col_description(c.oid, a.attnum) as comment,
      obj_description(c.oid) as about
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.oid in ('api.users'::regclass, 'api.tasks'::regclass)
  `);
  expect(comments).toHaveLength(12);
  for (const { table, column, comment, about } of comments) {
    const definition = definitions[String(table)];
    expect(definition?.description).toBe(about);
    expect(paths[`/${table}`]?.get?.summary).toBe(about);
    expect(comment).not.toBeNull();
    expect(definition?.properties[String(column)]?.description).toContain(comment);
  }
  expect(paths["/rpc/me"]?.post?.summary).toMatch(/^The caller's own user row/);
});

test("A user reads no inner name in it, but for the defaults of keys", async () => {
  const document = await read(alice);
  const { tasks, users } = document.definitions;
  expect(tasks?.properties.user_id?.default).toBe("request.user_id()");
  for (const definition of [tasks, users]) delete definition?.properties.id?.default;
  delete tasks?.properties.user_id?.default;
  expect(document.host).toBe(new URL(api.url).host);
  const rest = JSON.stringify({ ...document, host: "" });
  expect(rest).not.toMatch(/private|request\.|uuid_v7|authenticator|pg_|localhost|127\.0\.0\.1/);
});
