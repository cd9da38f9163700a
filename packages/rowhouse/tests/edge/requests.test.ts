import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "../../src/testing/backend.ts";
import { errorAnswer } from "../../src/testing/requests.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { askByHttp2, sendBytes } from "./wire.ts";

let backend: Backend;
let api: Postgrest;
let edge: Edge;
let alice: Caller;
let authorization: string;
beforeAll(async () => {
  backend = await startBackend(
    {},
    `
    create function api.prefer() returns text language sql stable
    as $$ select request.header('prefer') $$;
    create function api.which() returns text language sql stable
    as $$ select current_setting('application_name') $$;
    create function api.same(json) returns json language sql stable
    as $$ select $1 $$;
    grant execute on function api.prefer(), api.which(), api.same(json) to authenticated;
  `,
  );
  api = await startPostgrest(backend.databaseUrl);
  edge = await startEdge({ apis: [api.address] });
  alice = await signIn(edge);
  authorization = `Bearer ${sign(claimsFor(alice.id))}`;
});
afterAll(async () => {
  await edge.stop();
  await api.stop();
  await backend.stop();
});

const get = (path: string, ...headers: string[]) =>
  sendBytes(
    edge,
    [
      `GET ${path} HTTP/1.1`,
      "Host: edge",
      `Authorization: ${authorization}`,
      "Connection: close",
      ...headers,
      "\r\n",
    ].join("\r\n"),
  );

describe("Bytes that are no text", () => {
  const refused = errorAnswer(400, "EDGE400", { details: "bytes_invalid" });

  test.each([
    ["a byte that is no UTF-8", "a\xffb"],
    ["half a character", "a\xc3"],
    ["a surrogate", "\xed\xa0\x80"],
    ["an overlong form", "\xc0\xaf"],
    ["NUL", "a\0b"],
    ["a control character", "a\x01b"],
  ])("in a header are refused: %s", async (_, value) => {
    expect(await get("/tasks", `X-Name: ${value}`)).toMatchObject(refused);
  });

  test("in the name of a header are refused", async () => {
    expect(await get("/tasks", "X-\xc3\xa4: 1")).toMatchObject(refused);
  });

  test.each([
    ["a byte that is no UTF-8", "/tasks?title=eq.\xff"],
    ["the same, encoded", "/tasks?title=eq.%ff"],
    ["half a character in the path", "/t%c3sks"],
    ["NUL", "/tasks?title=eq.%00"],
    ["NUL in the path", "/ta%00sks"],
    ["a sequence that is none", "/tasks?title=eq.%zz"],
    ["a fragment", "/tasks#title"],
  ])("in the address are refused: %s", async (_, path) => {
    expect(await get(path)).toMatchObject(refused);
  });

  test("are refused by HTTP/2, too", async () => {
    for (const request of [
      { ":path": "/tasks?title=eq.%ff", authorization },
      { ":path": "/tasks", authorization, "x-name": "a\xffb" },
    ]) {
      const { status, body } = await askByHttp2(edge, request);
      expect([status, JSON.parse(body).details]).toEqual([400, "bytes_invalid"]);
    }
  });

  test.each([
    ["JSON", "application/json", '{"title":"\xff"}'],
    ["CSV", "text/csv", "title\n\xff"],
    ["CSV, with another type after a comma", "text/csv;x=,application/octet-stream", "title\n\xff"],
    ["a form", "application/x-www-form-urlencoded", "title=\xff"],
    ["a form, encoded", "application/x-www-form-urlencoded", "title=%ff"],
    ["a form with half a character", "application/x-www-form-urlencoded", "title=%c3"],
  ])("in a body are refused: %s", async (_, type, body) => {
    const head = `POST /tasks HTTP/1.1\r\nHost: edge\r\nAuthorization: ${authorization}`;
    const rest = `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close`;
    expect(await sendBytes(edge, `${head}\r\n${rest}\r\n\r\n${body}`)).toMatchObject(refused);
  });

  test("are not what UTF-8 is: that goes through", async () => {
    const utf8 = Buffer.from("X-Name: Zoë 😀").toString("latin1");
    expect(await get("/tasks?title=eq.%F0%9F%98%80", utf8)).toMatchObject({ status: 200 });
    const body = { title: "Zoë 😀" };
    expect(await alice.ask("/tasks", { method: "POST", body })).toMatchObject({ status: 201 });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const text = "title=Zo%C3%AB+%F0%9F%98%80";
    expect(await alice.ask("/tasks", { method: "POST", headers: form, text })).toMatchObject({
      status: 201,
    });
  });

  // HAProxy's parser refuses these before any rule, and no setting gives that answer another text.
  test.each([
    ["NUL in the line of the request", "GET /ta\0sks HTTP/1.1\r\nHost: edge\r\n\r\n"],
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a length that is none", "POST /tasks HTTP/1.1\r\nHost: edge\r\nContent-Length: x\r\n\r\n"],
    [
      "two lengths",
      "POST /tasks HTTP/1.1\r\nHost: edge\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
  ])("that break the protocol are 400, and the connection ends: %s", async (_, bytes) => {
    const { status, raw } = await sendBytes(edge, bytes);
    expect(status).toBe(400);
    expect(raw).not.toMatch(/postgrest|haproxy|127\./i);
  });

  test("that claim another version of HTTP are refused", async () => {
    for (const version of ["HTTP/1.7", "RTSP/1.0"]) {
      const { status } = await sendBytes(
        edge,
        `GET / ${version}\r\nHost: edge\r\nConnection: close\r\n\r\n`,
      );
      expect(status).toBe(400);
    }
  });
});

describe("Headers that are sent several times", () => {
  test.each([
    ["two", ["return=minimal", "max-affected=200"]],
    ["three", ["return=minimal", "max-affected=200", "tx=commit"]],
    ["four", ["a=1", "b=2", "c=3", "max-affected=200"]],
  ])("%s lines of Prefer reach SQL as one list", async (_, values) => {
    const { status, body } = await get("/rpc/prefer", ...values.map((value) => `Prefer: ${value}`));
    expect([status, body]).toEqual([200, values.join(", ")]);
  });

  test.each([
    ["five lines of Prefer", Array(5).fill("Prefer: return=minimal")],
    ["two of Authorization", ["Authorization: Bearer x"]],
    ["two of Content-Type", ["Content-Type: text/csv", "Content-Type: application/json"]],
    ["two of If-Match", ["If-Match: a", "If-Match: b"]],
  ])("are refused: %s", async (_, headers) => {
    const wanted = errorAnswer(400, "EDGE400", { details: "header_repeated" });
    expect(await get("/tasks", ...headers)).toMatchObject(wanted);
  });
});

describe("What is too long", () => {
  test("in the address is 414, and a long one goes through", async () => {
    const list = (length: number) => `/tasks?title=eq.${"x".repeat(length)}`;
    expect(await get(list(15_000))).toMatchObject({ status: 200 });
    const wanted = errorAnswer(414, "EDGE414", { details: "address_too_long" });
    expect(await get(list(20_000))).toMatchObject(wanted);
  });

  test("in the headers is 431", async () => {
    const wanted = errorAnswer(431, "EDGE431", { details: "headers_too_long" });
    expect(await get("/tasks", `X-Name: ${"x".repeat(40_000)}`)).toMatchObject(wanted);
  });

  test("are more than 100 headers: 431, by HTTP/2, too", async () => {
    const headers = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: 1`);
    expect(await get("/tasks?limit=0", ...headers(90))).toMatchObject({ status: 200 });
    const wanted = errorAnswer(431, "EDGE431", { details: "headers_too_long" });
    for (const count of [110, 900]) {
      expect(await get("/tasks", ...headers(count))).toMatchObject(wanted);
    }
    const named = Object.fromEntries(headers(150).map((line) => line.split(": ")));
    const byHttp2 = await askByHttp2(edge, { ":path": "/tasks", authorization, ...named });
    expect([byHttp2.status, JSON.parse(byHttp2.body).details]).toEqual([431, "headers_too_long"]);
  });
});

describe("OPTIONS", () => {
  test("is answered alike for what is there and what is not", async () => {
    const answers = await Promise.all(
      ["/tasks", "/users", "/rpc/me", "/nope", "/rpc/nope", "/auth/token", "/"].map(
        async (path) => {
          const { status, headers, body } = await alice.ask(path, { method: "OPTIONS" });
          const shown = [...headers].filter(([name]) => name !== "x-request-id");
          return JSON.stringify([status, shown, body]);
        },
      ),
    );
    expect(answers[0]).toContain("204");
    expect(new Set(answers).size).toBe(1);
  });
});

test("The database knows a request by the id that the edge gave it", async () => {
  const { body, headers } = await alice.ask("/rpc/which");
  expect(body).toBe(`rowhouse ${headers.get("x-request-id")}`);
});

test("A method that is none is 405, and says which there are", async () => {
  for (const method of ["TRACE", "PROPFIND", "CONNECT"]) {
    const answer = await sendBytes(
      edge,
      `${method} /tasks HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatchObject(errorAnswer(405, "EDGE405", { details: "method_unknown" }));
    expect(answer.headers.get("allow")).toBe("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS");
  }
});

describe("A body that is a single value", () => {
  const scalars = ["42", '"x"', "null", "true", "  \n 42", "-1", `${" ".repeat(200_000)}1`];
  const wanted = errorAnswer(400, "EDGE400", { details: "body_scalar" });

  test.each(["POST", "PATCH", "PUT"])("is refused with %s", async (method) => {
    for (const text of scalars) {
      expect(await alice.ask("/tasks", { method, text })).toMatchObject(wanted);
    }
  });

  test("is refused whatever kind of JSON it says it is", async () => {
    for (const type of [
      "application/json; charset=utf-8",
      "application/vnd.pgrst.object+JSON",
      "application/vnd.pgrst.array",
    ]) {
      const headers = { "content-type": type };
      expect(await alice.ask("/tasks", { method: "POST", text: "42", headers })).toMatchObject(
        wanted,
      );
    }
    // Without a type PostgREST takes it for JSON.
    const untyped = await sendBytes(
      edge,
      `POST /tasks HTTP/1.1\r\nHost: edge\r\nAuthorization: ${authorization}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n42`,
    );
    expect(untyped).toMatchObject(wanted);
  });

  // PostgREST 12.0.2 would call a function of one JSON parameter with [] instead.
  test("is refused for a function", async () => {
    expect(await alice.ask("/rpc/same", { method: "POST", text: "42" })).toMatchObject(wanted);
    const same = await alice.ask("/rpc/same", { method: "POST", text: ' {"a":42}' });
    expect(same).toMatchObject({ status: 200, body: { a: 42 } });
  });

  test("is no line of CSV: that reaches a table", async () => {
    const headers = { "content-type": "text/csv" };
    const csv = await alice.ask("/tasks", { method: "POST", text: "title\none", headers });
    expect(csv).toMatchObject({ status: 201 });
  });
});
