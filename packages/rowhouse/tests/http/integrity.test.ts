import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Ask, type Caller, signIn } from "../../src/testing/api.ts";
import {
  addTask,
  type Backend,
  everything,
  full,
  newId,
  type Row,
  refusal,
  startBackend,
} from "./backend.ts";
import { missingTable, tooComplex, unknownMediaType, unservedSchema } from "./spellings.ts";

let api: Backend;
let alice: Caller;
let task: Row;
beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api);
  task = await addTask(alice);
});
afterAll(() => api.stop());

const post = (body: unknown) => alice.ask("/tasks", { method: "POST", headers: full, body });
const postText = (text: string, headers: Ask["headers"] = {}) =>
  alice.ask("/tasks", { method: "POST", headers: { ...full, ...headers }, text });
const patch = (body: unknown) =>
  alice.ask(`/tasks?id=eq.${task.id}`, { method: "PATCH", headers: full, body });
const named = (constraint: string) => ({ message: expect.stringContaining(`"${constraint}"`) });

describe("A user is refused, and nothing is lost or added,", () => {
  let before: Row[];
  beforeEach(async () => {
    before = await everything(api);
  });
  afterEach(async () => {
    expect(await everything(api)).toEqual(before);
  });

  test.each([
    ["a title left out", {}, "23502", named("title")],
    ["a title of null", { title: null }, "23502", named("title")],
    ["an empty title", { title: "" }, "23514", named("tasks_title_length")],
    ["a title of 201 letters", { title: "a".repeat(201) }, "23514", named("tasks_title_length")],
    ["a title of 201 emoji", { title: "😀".repeat(201) }, "23514", named("tasks_title_length")],
    ["a description of null", { title: "x", description: null }, "23502", named("description")],
    [
      "a description of 10,001 letters",
      { title: "x", description: "d".repeat(10_001) },
      "23514",
      named("tasks_description_length"),
    ],
    ["completed of null", { title: "x", completed: null }, "23502", named("completed")],
    [
      "an id of version 4",
      { title: "x", id: "00000000-0000-4000-8000-000000000000" },
      "23514",
      named("tasks_id_version"),
    ],
    ["an id of null", { title: "x", id: null }, "23502", named("id")],
    ["an id that is no UUID", { title: "x", id: "1" }, "22P02", {}],
    ["completed that is no truth", { title: "x", completed: "maybe" }, "22P02", {}],
    ["completed that is a number", { title: "x", completed: 7 }, "22P02", {}],
    ["a column that is not there", { title: "x", nope: 1 }, "PGRST204", {}],
    ["a NUL character", { title: "a\0b" }, "22P05", {}],
  ])("for %s", async (_, body, code, rest) => {
    expect(await post(body)).toMatchObject(refusal(400, code, rest));
    expect(await post([{ ...body }, { ...body }])).toMatchObject(refusal(400, code, rest));
    if ("title" in body) expect(await patch(body)).toMatchObject(refusal(400, code, rest));
  });

  test.each([
    [" "],
    ["\t"],
    ["\n"],
    ["\r\n"],
    ["\v\f"],
    ["\u0085"],
    ["\u00a0"],
    ["\u1680"],
    ["\u2003"],
    ["\u2028"],
    ["\u202f"],
    ["\u3000"],
    [" \t\n\u00a0 "],
  ])("for a title of blanks: %j", async (title) => {
    const expected = refusal(400, "23514", named("tasks_title_not_blank"));
    expect(await post({ title })).toMatchObject(expected);
    expect(await patch({ title })).toMatchObject(expected);
  });

  test("for a task with an id that they have", async () => {
    expect(await post({ id: task.id, title: "x" })).toMatchObject(
      refusal(409, "23505", named("tasks_pkey")),
    );
  });

  test("for changing a task's id to one that they have", async () => {
    const other = await addTask(alice);
    expect(await alice.ask("/tasks", { method: "PATCH", body: { id: task.id } })).toMatchObject(
      refusal(409, "23505"),
    );
    await api.sql("delete from api.tasks where id = $1", [other.id]);
  });

  test.each([[""], ["x".repeat(201)]])("for a name of the wrong length", async (name) => {
    expect(await alice.ask("/users", { method: "PATCH", body: { name } })).toMatchObject(
      refusal(400, "23514", named("users_name_length")),
    );
  });

  test.each([
    ["half of an object", "{"],
    ["no JSON", "{title: 1}"],
    ["an empty body", ""],
    ["a list of numbers", "[1]"],
    ["a list of lists", "[[]]"],
    ["a list of null", "[null]"],
    ["one row and null", '[{"title":"x"},null]'],
    ["a lone high surrogate", '{"title":"a\\ud800b"}'],
    ["a lone low surrogate", '{"title":"\\udc00"}'],
    ["two objects", '{"title":"x"}{"title":"y"}'],
  ])("for a body of %s", async (_, text) => {
    expect(await postText(text)).toMatchObject(refusal(400, "PGRST102"));
  });

  test.each([["text/plain"], ["application/xml"], ["multipart/form-data"]])(
    "for a body of type %s",
    async (type) => {
      expect(await postText('{"title":"x"}', { "content-type": type })).toMatchObject(
        refusal(400, "PGRST102"),
      );
    },
  );

  test("for a number of a thousand digits as a title", async () => {
    expect(await postText(`{"title":1${"0".repeat(1000)}}`)).toMatchObject(
      refusal(400, "23514", named("tasks_title_length")),
    );
  });

  test.each([
    [1000, refusal(400, "23514")],
    [100_000, tooComplex],
  ])("for JSON that is %d deep", async (depth, expected) => {
    const text = `{"title":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(await postText(text)).toMatchObject(expected);
  });

  test.each([
    ["/tasks?id=eq.1", 400, "22P02"],
    ["/tasks?nope=eq.1", 400, "42703"],
    ["/tasks?select=nope", 400, "42703"],
    ["/tasks?order=nope", 400, "42703"],
    ["/tasks?title=nope.1", 400, "PGRST100"],
    ["/tasks?select=nope(*)", 400, "PGRST200"],
    ["/tasks?limit=-1", 416, "PGRST103"],
    ["/rpc/nope", 404, "PGRST202"],
  ])("for what is not there: %s", async (path, status, code) => {
    expect(await alice.ask(path)).toMatchObject(refusal(status, code));
  });

  test("for a table that is not there", async () => {
    expect(await alice.ask("/nope")).toMatchObject(missingTable);
  });

  test.each([["private"], ["request"], ["public"], ["pg_catalog"]])(
    "for the schema %s",
    async (schema) => {
      const expected = unservedSchema(schema);
      expect(await alice.ask("/tasks", { headers: { "accept-profile": schema } })).toMatchObject(
        expected,
      );
      const headers = { "content-profile": schema };
      expect(
        await alice.ask("/tasks", { method: "POST", headers, body: { title: "x" } }),
      ).toMatchObject(expected);
      expect(await alice.ask(`/${schema}.users`)).toMatchObject(missingTable);
    },
  );

  test.each([
    ["application/xml"],
    ["application/vnd.pgrst.plan"],
    ["application/vnd.pgrst.plan+json"],
  ])("for an answer of type %s", async (accept) => {
    expect(await alice.ask("/tasks", { headers: { accept } })).toMatchObject(unknownMediaType);
  });

  // PostgREST 12 takes these for no rows at all.
  test.each([["[]"], ["null"], ["1"], ['"x"']])(
    "or served without effect, for the body %s",
    async (text) => {
      expect(await postText(text)).toMatchObject({ status: 201, body: [] });
    },
  );
});

describe("A user may have", () => {
  test.each([
    ["a title of 200 letters", { title: "a".repeat(200) }],
    ["a title of 200 emoji", { title: "😀".repeat(200) }],
    ["a title of one letter", { title: "a" }],
    ["a title of blanks around a letter", { title: " \t\u00a0x " }],
    ["a title in another script", { title: "Ünïcödé 日本語 العربية" }],
    ["a title full of signs", { title: "'\"\\;--{}[]()%_*&?#</script>\u0001" }],
    ["a description of 10,000 letters", { title: "x", description: "d".repeat(10_000) }],
    ["an empty description", { title: "x", description: "" }],
    ["an id of version 7 in capitals", { title: "x", id: newId() }],
  ])("%s", async (_, body) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 201, body: [body] });
    const [row] = answer.body as Row[];
    const read = await alice.ask(`/tasks?id=eq.${row?.id}&select=title,description`);
    expect(read.body).toEqual([{ title: row?.title, description: row?.description }]);
  });

  test("a number as a title: it is taken as text", async () => {
    expect(await post({ title: 5 })).toMatchObject({ body: [{ title: "5" }] });
  });
});
