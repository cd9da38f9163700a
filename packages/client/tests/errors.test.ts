import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import * as client from "../../../client/index.ts";
import * as auth from "../src/auth.ts";
import { failure, type Session, startSession } from "./session.ts";
import {
  answer,
  type Backend,
  claimsFor,
  cloneDatabase,
  cut,
  type Fault,
  hold,
  newId,
  reset,
  sign,
  startApi,
  startBackend,
  truncate,
  withClient,
} from "./support.ts";

let api: Backend;
let alice: Session;
beforeAll(async () => {
  // The naps end after 100 ms, as any statement does after 5 s.
  const check = "request.check_with_timeout";
  api = await startBackend(
    { extra: { PGRST_DB_PRE_REQUEST: check } },
    `
    create function ${check}() returns void language plpgsql as $$
    begin
      perform request.check();
      if current_setting('request.path', true) = '/rpc/nap' then
        set local statement_timeout = '100ms';
      end if;
    end $$;
    create function api.nap() returns text language sql as $$ select pg_sleep(20)::text $$;
    grant execute on function ${check}() to anonymous, authenticated;
    grant execute on function api.nap() to authenticated;
    create function api.fail(code text) returns text language plpgsql as $$
    begin
      raise exception using errcode = code, message = 'it failed';
    end $$;
    grant execute on function api.fail(text) to authenticated;
  `,
  );
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
});

type ClassName = Exclude<
  { [K in keyof typeof client]: K extends `${string}Error` ? K : never }[keyof typeof client],
  never
>;

const seen = new Set<string>();

/** The properties of an error. */
interface Facts {
  readonly code?: string;
  readonly status?: number;
  readonly details?: unknown;
  readonly hint?: unknown;
  readonly column?: string | undefined;
  readonly rule?: string | undefined;
}

const remedy = /(?:^|[.!?] )(?:[A-Z][^.!?]*(?:\.\w[^.!?]*)*)[.]$/;

/** Checks that a call ends with an error that has everything it should have. */
async function expectError(
  call: PromiseLike<unknown>,
  name: ClassName,
  facts: Facts,
): Promise<client.ApiError> {
  const error = await failure(Promise.resolve(call));
  expect(error).toBeInstanceOf(Reflect.get(client, name));
  expect(error).toMatchObject({ name, ...facts });
  seen.add(error.constructor.name);
  const ids = alice.proxy.requests.map(({ headers }) => headers["x-request-id"]);
  if (ids.length > 0) expect(ids).toContain(error.requestId);
  else expect(error.requestId).toBe("");
  expect(error.message).toMatch(remedy);
  expect(error.message).not.toMatch(
    /\.\.|[^.!?] (?:Sign|Check|Choose|Read|Send|Wait|Try|Correct) /,
  );
  return error;
}

/** A value as PostgREST 12.0.2 has it, or as later versions do. */
const either = (...spellings: (string | number)[]) => expect.toBeOneOf(spellings);

const tasks = () => alice.db.tasks;
const rest = () => alice.db.rest;
const once = () => alice.client({ retry: false });

describe("A user whose data breaks a rule gets an InvalidError that names column and rule:", () => {
  const id = newId().replace(/^(.{14})./, "$14");
  test.each<[string, object, string, Facts["rule"]]>([
    ["an id of another version", { id }, "id", "tasks_id_version"],
    ["an empty title", { title: "" }, "title", "tasks_title_length"],
    ["a title that is too long", { title: "x".repeat(201) }, "title", "tasks_title_length"],
    ["a blank title", { title: " \u3000" }, "title", "tasks_title_not_blank"],
    [
      "too long a description",
      { description: "x".repeat(10_001) },
      "description",
      "tasks_description_length",
    ],
  ])("%s", async (_, broken, column, rule) => {
    const row = { title: "t", ...broken };
    const facts = { status: 400, code: "23514", column, rule };
    const error = await expectError(tasks().create(row), "InvalidError", facts);
    expect(error.message).toContain(rule);
    expect(await tasks().count()).toBe(0);
  });

  test("a title of null", async () => {
    const row = { title: null } as unknown as { title: string };
    const facts = { status: 400, code: "23502", column: "title", rule: "not null" };
    await expectError(tasks().create(row), "InvalidError", facts);
  });

  test("a title left out", async () => {
    const row = {} as unknown as { title: string };
    const facts = { status: 400, code: "23502", column: "title", rule: "not null" };
    await expectError(tasks().create(row), "InvalidError", facts);
  });

  test("a change to what is not allowed", async () => {
    const row = await tasks().create({ title: "t" });
    const facts = { status: 400, code: "23514", column: "title", rule: "tasks_title_length" };
    await expectError(tasks().update(row.id, { title: "" }), "InvalidError", facts);
  });

  test("an unknown column in a new row", async () => {
    const row = { title: "t", due: "tomorrow" };
    const facts = { status: 400, code: "PGRST204", column: "due", rule: "unknown column" };
    await expectError(tasks().create(row), "InvalidError", facts);
    const message = "Could not find the 'due' column of 'tasks' in the schema cache";
    alice.proxy.next(answer(400, { body: { code: "PGRST204", message } })); // as PostgREST 12.2 reports it
    await expectError(tasks().create(row), "InvalidError", facts);
  });

  test("an unknown column in a condition, in an order, and in a search", async () => {
    const facts = { status: 400, code: "42703", column: "due", rule: "unknown column" };
    const list = (options: object) => tasks().list(options);
    await expectError(list({ where: { due: "tomorrow" } }), "InvalidError", facts);
    await expectError(list({ sort: { by: "due" } }), "InvalidError", facts);
    await expectError(list({ search: { text: "x", in: ["due"] } }), "InvalidError", facts);
    const where: object = { due: "tomorrow" };
    await expectError(tasks().count({ where }), "InvalidError", facts);
  });
});

describe("A user whose question makes no sense gets an InvalidError:", () => {
  const nothing = { column: undefined, rule: undefined };

  test("an id that is no UUID", async () => {
    const facts = { status: 400, code: "22P02", ...nothing };
    await expectError(tasks().get("nonsense"), "InvalidError", facts);
    await expectError(tasks().delete(""), "InvalidError", facts);
  });

  test("a value of another type", async () => {
    const where = { completed: "perhaps" } as unknown as { completed: boolean };
    const facts = { status: 400, code: "22P02", ...nothing };
    await expectError(tasks().list({ where }), "InvalidError", facts);
  });

  test("a search in a column that holds no text", async () => {
    const facts = { status: 404, code: "42883", ...nothing };
    const search = { text: "2026", in: ["created_at"] as unknown as ["title"] };
    await expectError(tasks().list({ search }), "InvalidError", facts);
  });

  test("an order that does not exist", async () => {
    const sort = { by: "title", order: "sideways" } as unknown as { by: "title"; order: "asc" };
    const facts = { status: 400, code: "PGRST100", ...nothing };
    await expectError(tasks().list({ sort }), "InvalidError", facts);
  });

  test("a text that PostgreSQL cannot hold", async () => {
    const facts = { status: 400, code: "22P05", ...nothing };
    await expectError(tasks().create({ title: "nul \u0000" }), "InvalidError", facts);
  });

  test("a table that cannot be embedded", async () => {
    const facts = { status: 0, code: "embed", ...nothing };
    const embeds = ["nothing"] as unknown as ["users"];
    await expectError(tasks().list({ with: embeds }), "InvalidError", facts);
  });

  test("a comparison that does not exist", async () => {
    const where = { title: { kind: "k" } } as unknown as { title: string };
    const facts = { status: 0, code: "condition", column: "title", rule: undefined };
    await expectError(tasks().list({ where }), "InvalidError", facts);
  });

  test("a key that names no row", async () => {
    const facts = { status: 0, code: "key", ...nothing };
    const key = { title: "t" } as unknown as string;
    await expectError(tasks().get(key), "InvalidError", facts);
    await expectError(tasks().delete(key), "InvalidError", facts);
  });

  test("the caller's own rows of a table without owners", async () => {
    const facts = { status: 0, code: "mine", ...nothing };
    await expectError(alice.db.users.list({ mine: true }), "InvalidError", facts);
  });

  test("a cursor of no list", async () => {
    const facts = { status: 0, code: "cursor", ...nothing };
    await expectError(tasks().list({ after: "nonsense" }), "InvalidError", facts);
  });

  test("If-Match that is no timestamp", async () => {
    const { id } = await tasks().create({ title: "t" });
    const call = tasks().update(id, { title: "u" }, { ifMatch: "nonsense" });
    const facts = { status: 400, code: "PT400", details: "if_match_invalid", ...nothing };
    const error = await expectError(call, "InvalidError", facts);
    expect(error.hint).toContain("updated_at");
  });

  test("a deletion of more rows than one request may", async () => {
    const rows = Array.from({ length: 101 }, () => ({ title: "t" }));
    await tasks().createMany(rows);
    const call = rest().from("tasks").delete().eq("completed", false).throwOnError();
    const facts = { status: 400, code: "PT400", details: "too_many_rows", ...nothing };
    await expectError(call, "InvalidError", facts);
  });

  test("a count that is planned", async () => {
    const call = rest().from("tasks").select("id", { count: "planned" }).throwOnError();
    const facts = { status: 400, code: "PT400", details: "planned_count_refused", ...nothing };
    const error = await expectError(call, "InvalidError", facts);
    expect(error.hint).toBe("Ask for Prefer: count=exact.");
  });

  test("422 of a proxy", async () => {
    alice.proxy.next(answer(422, { body: "no" }));
    await expectError(tasks().list(), "InvalidError", { status: 422, code: "HTTP422", ...nothing });
  });
});

describe("A user without the right gets a SignedOutError or a ForbiddenError:", () => {
  const listWith = (token: string) => alice.client({ token }).tasks.list();

  test("a token that has expired", async () => {
    const token = sign({ ...claimsFor(alice.id), exp: 1000 });
    const facts = { status: 401, code: either("PGRST301", "PGRST303") };
    const error = await expectError(listWith(token), "SignedOutError", facts);
    expect(error.message).toBe("JWT expired. Sign in again.");
  });

  test("a token that has expired, as PostgREST 13 reports it", async () => {
    alice.proxy.next(answer(401, { body: { code: "PGRST303", message: "JWT expired" } }));
    await expectError(tasks().list(), "SignedOutError", { status: 401, code: "PGRST303" });
  });

  test("a token signed with another secret", async () => {
    const token = sign(claimsFor(alice.id), "another-secret-that-is-long-enough-too");
    const facts = { status: 401, code: "PGRST301" };
    await expectError(listWith(token), "SignedOutError", facts);
  });

  test.each([
    ["does not exist", "nobody", either(400, 401), "22023"],
    ["the API must not take on", "postgres", 403, "42501"],
  ])("a token whose role %s", async (_, role, status, code) => {
    const token = sign({ ...claimsFor(alice.id), role });
    await expectError(listWith(token), "SignedOutError", { status, code });
  });

  test("a token for another audience", async () => {
    const token = sign({ ...claimsFor(alice.id), aud: "elsewhere" });
    const facts = { status: 401, code: "PT401", details: "token_aud_refused" };
    const error = await expectError(listWith(token), "SignedOutError", facts);
    expect(error.hint).toContain('The claim "aud"');
    expect(error.message).toBe("The token was refused. Sign in again.");
  });

  test("no token", async () => {
    const token = () => Promise.reject(new Error("offline"));
    const facts = { status: 0, code: "token" };
    const error = await expectError(alice.client({ token }).tasks.list(), "SignedOutError", facts);
    expect(error.cause).toEqual(new Error("offline"));
  });

  test("a row for another user", async () => {
    const row = { title: "t", user_id: newId() };
    const call = rest().from("tasks").insert(row).throwOnError();
    const facts = { status: 403, code: "42501" };
    const error = await expectError(call, "ForbiddenError", facts);
    expect(error.message).toContain("row-level security");
  });

  test("a column that is not granted", async () => {
    const change = { email: "other@example.com" };
    const call = rest().from("users").update(change).eq("id", alice.id).throwOnError();
    await expectError(call, "ForbiddenError", { status: 403, code: "42501" });
  });

  test("a page that a proxy refuses", async () => {
    alice.proxy.next(answer(403, { body: "<html><h1>Forbidden</h1></html>" }));
    const error = await expectError(tasks().list(), "ForbiddenError", {
      status: 403,
      code: "HTTP403",
    });
    expect(error.message).toContain("403");
    expect(error.message).not.toContain("<");
  });
});

describe("A user who asks for what is not there gets a NotFoundError:", () => {
  test("a row", async () => {
    const facts = { status: 404, code: "no_row" };
    const id = newId();
    const error = await expectError(tasks().get(id), "NotFoundError", facts);
    expect(error.message).toContain(id);
    await expectError(tasks().update(id, { title: "t" }), "NotFoundError", facts);
    await expectError(tasks().delete(id), "NotFoundError", facts);
  });

  test("a table", async () => {
    const call = rest()
      .from("nothing" as "tasks")
      .select()
      .throwOnError();
    await expectError(call, "NotFoundError", {
      status: 404,
      code: either("42P01", "PGRST205"),
    });
  });

  test("a table, as PostgREST 13 reports it", async () => {
    const hint = "Perhaps you meant the table 'api.tasks'";
    const message = "Could not find the table 'api.nothing' in the schema cache";
    alice.proxy.next(answer(404, { body: { code: "PGRST205", details: null, hint, message } }));
    const call = rest()
      .from("nothing" as "tasks")
      .select()
      .throwOnError();
    const facts = { status: 404, code: "PGRST205", hint, details: undefined };
    await expectError(call, "NotFoundError", facts);
  });

  test("a function", async () => {
    const call = alice.db.rpc("nothing" as "me");
    await expectError(call, "NotFoundError", { status: 404, code: "PGRST202" });
  });

  test("a single row of postgrest-js", async () => {
    const call = rest().from("tasks").select().eq("id", newId()).single().throwOnError();
    const facts = { status: 406, code: "PGRST116", details: expect.stringContaining("0 rows") };
    await expectError(call, "NotFoundError", facts);
  });
});

test("A user who asks for one row and meets several gets a ConflictError", async () => {
  await tasks().createMany([{ title: "t" }, { title: "u" }]);
  const call = rest().from("tasks").select().single().throwOnError();
  const facts = { status: 406, code: "PGRST116", details: "The result contains 2 rows" };
  const error = await expectError(call, "ConflictError", facts);
  expect(error.message).toContain("several rows. Name the whole key");
});

describe("A function that raises a SQLSTATE ends with the class of the code:", () => {
  test.each<[string, ClassName, number]>([
    ["08006", "UnavailableError", 503],
    ["21000", "InvalidError", either(400, 500)],
    ["23001", "ConflictError", 400],
    ["25006", "UnavailableError", 405],
    ["42P17", "UnavailableError", either(400, 500)],
    ["53300", "UnavailableError", 503],
    ["53400", "UnavailableError", either(503, 500)],
    ["54001", "TooLargeError", either(413, 500)],
    ["57P02", "UnavailableError", 500],
    ["57P03", "UnavailableError", 500],
    ["58030", "UnavailableError", 500],
    ["XX000", "UnavailableError", 500],
  ])("%s: %s", async (code, name, status) => {
    const call = alice.db.rpc("fail" as "me", { code } as never);
    await expectError(call, name, { status, code });
  });
});

describe("A user who comes too late gets a ConflictError or a StaleError:", () => {
  test("an id that is taken", async () => {
    const { id } = await tasks().create({ title: "t" });
    const facts = { status: 409, code: "23505" };
    await expectError(tasks().create({ id, title: "u" }), "ConflictError", facts);
  });

  test("a row that has changed", async () => {
    const row = await tasks().create({ title: "t" });
    const current = await tasks().update(row.id, { title: "u" });
    const call = tasks().update(row.id, { title: "v" }, { ifMatch: row.updated_at });
    const facts = { status: 412, code: "PT412", details: "row_stale" };
    const error = await expectError(call, "StaleError", facts);
    expect(error).toMatchObject({ current, hint: expect.stringContaining("Read it again") });
  });
});

describe("A user who asks for too much gets a TooLargeError or a RateLimitedError:", () => {
  test("more ids than an address holds, in a condition that cannot be split", async () => {
    const where = { id: { not: { in: Array.from({ length: 3000 }, newId) } } };
    const facts = { status: 0, code: "conditions_too_long" };
    await expectError(tasks().list({ where }), "TooLargeError", facts);
  });

  test.each([413, 414, 431])("a request that a proxy refuses with %i", async (status) => {
    alice.proxy.next(answer(status, { body: "<html>Too large</html>" }));
    const call = tasks().create({ title: "t" });
    await expectError(call, "TooLargeError", { status, code: `HTTP${status}` });
  });

  test("a statement that PostgreSQL finds too complex", async () => {
    const body = { code: "54001", message: "stack depth limit exceeded" };
    alice.proxy.next(answer(500, { body })); // as PostgREST since 12.2 reports it
    await expectError(tasks().list(), "TooLargeError", { status: 500, code: "54001" });
  });

  test("too many requests, again and again", async () => {
    alice.proxy.always(answer(429, { headers: { "retry-after": "0" } }));
    await expectError(tasks().list(), "RateLimitedError", { status: 429, code: "HTTP429" });
  });
});

describe("A user whose server is in trouble gets an UnavailableError:", () => {
  test.each<[string, Fault]>([
    ["a connection that breaks", reset],
    ["an answer that is lost", cut],
    ["an answer that is cut off", truncate],
  ])("%s", async (_, fault) => {
    alice.proxy.next(fault);
    const facts = { code: "network" };
    const error = await expectError(once().tasks.list(), "UnavailableError", facts);
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  test("no server that listens", async () => {
    const db = alice.client({ url: "http://127.0.0.1:1", retry: false });
    const error = await failure(db.tasks.list());
    expect(error).toMatchObject({ name: "UnavailableError", status: 0, code: "network" });
    expect(error.cause).toBeInstanceOf(Error);
  });

  test.each<[number, string, string]>([
    [408, "", "HTTP408"],
    [500, "", "HTTP500"],
    [502, "<html><h1>502 Bad Gateway</h1></html>", "HTTP502"],
    [
      503,
      '{"code":"PGRST002","message":"Could not query the database for the schema cache"}',
      "PGRST002",
    ],
    [503, '{"code":"PGRST000","message":"Database connection error"}', "PGRST000"],
    [503, '{"code":"53300","message":"sorry, too many clients already"}', "53300"],
    [504, "null", "HTTP504"],
    [520, '"text"', "HTTP520"],
    [599, "[1]", "HTTP599"],
  ])("%i with the body %j", async (status, body, code) => {
    alice.proxy.always(answer(status, { body }));
    const facts = { status, code };
    const error = await expectError(once().tasks.list(), "UnavailableError", facts);
    expect(error.message).not.toContain("<");
    await expectError(once().tasks.count(), "UnavailableError", facts);
  });

  test.each(["40P01", "40001"])("%s, which is retried where it is safe", async (code) => {
    const body = { code, message: "it was undone", details: "by another", hint: "See the log." };
    alice.proxy.next(answer(500, { body }), answer(500, { body }));
    expect(await tasks().list()).toMatchObject({ items: [] });
    alice.proxy.next(answer(500, { body }));
    const { message, ...facts } = body;
    const call = tasks().update(newId(), { title: "t" });
    await expectError(call, "UnavailableError", { status: 500, ...facts });
  });

  test("a statement that takes too long", async () => {
    const call = alice.db.rpc("nap" as "me");
    const error = await expectError(call, "UnavailableError", { status: 500, code: "57014" });
    expect(error.message).toContain("statement timeout");
  });

  test.each([
    ["a page of something in between", "<html>Sign in to the hotel</html>"],
    ["nothing", ""],
    ["half of an answer", '[{"id":'],
  ])("200 with %s", async (_, body) => {
    const headers = { "content-range": "0-0/1" };
    alice.proxy.always(answer(200, { headers, body }));
    const facts = { status: 200, code: "not_json" };
    const error = await expectError(tasks().list(), "UnavailableError", facts);
    expect(error.cause).toBeInstanceOf(SyntaxError);
    await expectError(tasks().create({ title: "t" }), "UnavailableError", facts);
  });

  test("200 with a page, for a function", async () => {
    alice.proxy.always(answer(200, { body: "<html>Sign in to the hotel</html>" }));
    const facts = { status: 200, code: "not_json" };
    await expectError(once().me(), "UnavailableError", facts);
    await expectError(once().rpc("me"), "UnavailableError", facts);
  });

  test("a pool of connections that is exhausted", async () => {
    const databaseUrl = await cloneDatabase();
    const extra = { PGRST_DB_POOL_ACQUISITION_TIMEOUT: "1" };
    const small = await startApi(databaseUrl, { pool: 1, extra });
    onTestFinished(() => small.stop());
    alice = await startSession(small);
    const { id } = await tasks().create({ title: "t" });
    await withClient(databaseUrl, async (client) => {
      await client.query("begin");
      await client.query("select from api.tasks for update");
      const waiting = alice.client({ timeout: 3000 }).tasks.delete(id);
      const isWaiting = async () =>
        (await client.query("select from pg_locks where not granted")).rowCount;
      await expect.poll(isWaiting).toBe(1);
      const facts = { status: 504, code: "PGRST003" };
      await expectError(once().tasks.list(), "UnavailableError", facts);
      await client.query("rollback");
      await waiting;
    });
  });
});

describe("A user whose call is ended gets a DeadlineError or an AbortedError:", () => {
  test("no answer in time", async () => {
    alice.proxy.always(hold);
    const call = alice.client({ timeout: 100 }).tasks.list();
    const error = await expectError(call, "DeadlineError", { status: 0, code: "deadline" });
    expect(error.cause).toMatchObject({ name: "TimeoutError" });
  });

  test("an abort", async () => {
    const controller = new AbortController();
    alice.proxy.always(() => controller.abort());
    const call = tasks().list({ signal: controller.signal });
    const error = await expectError(call, "AbortedError", { status: 0, code: "aborted" });
    expect(error.cause).toMatchObject({ name: "AbortError" });
  });
});

describe("A user who meets anything else gets an ApiError:", () => {
  test("a function that writes, called as one that reads", async () => {
    const call = rest().rpc("me", {}, { get: true }).throwOnError();
    await expectError(call, "ApiError", { status: 405, code: "25006" });
  });

  test("an unexpected status", async () => {
    alice.proxy.next(answer(418, { body: "" }));
    await expectError(tasks().list(), "ApiError", { status: 418, code: "HTTP418" });
  });
});

test("Every error class was seen above", () => {
  // Those of sign-in are seen in auth.test.ts.
  const classes = Object.keys(client).filter((name) => name.endsWith("Error") && !(name in auth));
  expect(classes.length).toBeGreaterThan(10);
  expect([...seen].sort()).toEqual(classes.sort());
});

test("Every error is an ApiError and an Error, and prints its name and message", async () => {
  const error = await failure(tasks().get(newId()));
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe(`NotFoundError: ${error.message}`);
  expect(error.stack).toContain("NotFoundError");
});
