import { readFileSync } from "node:fs";
import { get } from "node:http";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import {
  type Answer,
  type Caller,
  caller,
  claimsFor,
  sign,
  signIn,
} from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { errorAnswer } from "../../src/testing/requests.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";
import { askByHttp2, sendBytes } from "./wire.ts";

const page = "https://app.example.com";
let api: Postgrest;
let edge: Edge;
let alice: Caller;
beforeAll(async () => {
  const origins = `https://other.example.com, ${page}`;
  // Both get them, as in compose.
  const cors = { PGRST_SERVER_CORS_ALLOWED_ORIGINS: origins };
  api = await startPostgrest(await cloneDatabase(), cors);
  edge = await startEdge({
    apis: [api.address],
    variables: {
      CORS_ORIGINS: origins,
      EDGE_ACME_THUMBPRINT: "thumb-print",
    },
  });
  alice = await signIn(edge);
});
afterAll(async () => {
  await edge.stop();
  await api.stop();
});

describe("The id of a request", () => {
  const idsOf = async (path: string, headers: Record<string, string> = {}) => {
    const { status, headers: answered } = await alice.ask(path, { headers });
    return [status, answered.get("x-request-id")];
  };

  test("that was sent comes back on what succeeds and on what fails", async () => {
    const headers = { "x-request-id": "req-42" };
    expect(await idsOf("/tasks", headers)).toEqual([200, "req-42"]);
    expect(await idsOf("/nope", headers)).toEqual([404, "req-42"]);
    expect(await idsOf("/tasks?a=%ff", headers)).toEqual([400, "req-42"]);
  });

  test.each([
    ["a success", "/tasks", 200],
    ["an error of PostgREST", "/nope", 404],
    ["an error of the edge", "/tasks?a=%ff", 400],
    ["the list of what there is", "/", 200],
  ])("that was not sent is made, once, for %s", async (_, path, status) => {
    const made = await idsOf(path);
    expect(made).toEqual([status, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    // What is unfit for the database's logs is replaced.
    expect(await idsOf(path, { "x-request-id": "a b" })).toEqual([
      status,
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });
});

describe("An error", () => {
  test("of PostgREST without its database has no host, port or name, but its code", async () => {
    const doomed = await cloneDatabase();
    const lone = await startPostgrest(doomed);
    const front = await startEdge({ apis: [lone.address] });
    const name = new URL(doomed).pathname.slice(1);
    const port = new URL(doomed).port;
    await withClient(inject("serverUrl"), (client) =>
      client.query(`drop database ${name} with (force)`),
    );
    const direct = caller({ url: `http://${lone.address}:3000` });
    const ask = async () => ({
      leaking: await direct.ask("/tasks"),
      behind: await caller(front).ask("/tasks"),
    });
    const codeOf = ({ body }: Answer) => (body as { code: string }).code;
    // The code stays: the client decides by it. It changes once, when PostgREST has lost each connection.
    const asked = await waitFor(
      async () => {
        const both = await ask();
        return codeOf(both.leaking) === codeOf(both.behind) ? both : undefined;
      },
      20,
      10_000,
    );
    if (asked === undefined) throw new Error(`Two codes: ${JSON.stringify(await ask())}`);
    const { leaking, behind } = asked;
    expect(JSON.stringify(leaking.body)).toMatch(new RegExp(`${port}|${name}|terminat`));
    expect(behind).toMatchObject(
      errorAnswer(503, codeOf(leaking), {
        details: "unavailable",
        message: "The service is not available now.",
      }),
    );
    expect(behind.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    for (let turn = 0; turn < 5; turn += 1) {
      const { status, body } = await caller(front).ask("/tasks");
      expect(status).toBe(503);
      expect(JSON.stringify(body)).not.toMatch(new RegExp(`${port}|${name}|127\\.`));
    }
    await front.stop();
    await lone.stop();
  });

  test("of a token for a role of the server itself does not name the check", async () => {
    const token = sign({ ...claimsFor(alice.id), role: "authenticator" });
    const direct = await caller({ url: `http://${api.address}:3000` }, token).ask("/tasks");
    expect(JSON.stringify(direct.body)).toContain("request");
    const behind = await caller(edge, token).ask("/tasks");
    expect(behind).toMatchObject(errorAnswer(401, "PT401", { details: "token_role_refused" }));
    expect(JSON.stringify(behind.body)).not.toContain("request");
  });

  test("of a policy is as PostgREST says it", async () => {
    const users = await alice.ask("/users", { method: "DELETE" });
    expect(users).toMatchObject(errorAnswer(403, "42501"));
  });
});

describe("Every answer", () => {
  test.each([
    ["a success", "/tasks", 200],
    ["an error of PostgREST", "/nope", 404],
    ["an error of the edge", "/tasks?a=%ff", 400],
  ])("has the headers that browsers respect: %s", async (_, path, status) => {
    const answer = await alice.ask(path);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    });
    expect(answer.headers.has("server")).toBe(false);
  });

  test("is to be had by HTTP/2", async () => {
    const authorization = `Bearer ${sign(claimsFor(alice.id))}`;
    const answer = await askByHttp2(edge, { ":path": "/tasks", authorization });
    expect([answer.status, answer.body]).toEqual([200, "[]"]);
  });

  test("is to be had from TLS 1.2 on", async () => {
    const handshake = (maxVersion: "TLSv1.1" | "TLSv1.2") =>
      new Promise((resolve) => {
        const ca = readFileSync(inject("certificate"));
        // OpenSSL itself offers the old one at this level alone.
        const old = { minVersion: "TLSv1" as const, maxVersion, ciphers: "DEFAULT:@SECLEVEL=0" };
        const socket = connectTls({ host: edge.host, port: 8443, ca, ...old });
        socket.once("secureConnect", () => resolve(socket.getProtocol()));
        socket.once("error", ({ message }) => resolve(message));
      });
    expect(await handshake("TLSv1.2")).toBe("TLSv1.2");
    expect(await handshake("TLSv1.1")).toMatch(/alert|version/);
  });
});

describe("A page of another origin", () => {
  const ask = (origin: string, method = "GET", path = "/tasks") =>
    alice.ask(path, { method, headers: { origin } });

  test("that CORS_ORIGINS names may read answers and errors", async () => {
    for (const path of ["/tasks", "/nope", "/tasks?a=%ff"]) {
      for (const origin of [page, "https://other.example.com"]) {
        const { headers } = await ask(origin, "GET", path);
        expect(headers.get("access-control-allow-origin")).toBe(origin);
        expect(headers.get("access-control-expose-headers")).toContain("Content-Range");
        expect(headers.get("vary")).toBe("Origin");
        // PostgREST itself allows credentials, and no cookie counts here.
        expect(headers.get("access-control-allow-credentials")).toBeNull();
      }
    }
  });

  test("that it names learns at the preflight what it may send", async () => {
    const { status, headers } = await ask(page, "OPTIONS");
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-methods")).toContain("PATCH");
    for (const name of ["Authorization", "Prefer", "X-Request-Id", "If-Match", "Auth-State"]) {
      expect(headers.get("access-control-allow-headers")).toContain(name);
    }
  });

  test.each([
    ["another", "https://evil.example.com"],
    ["one that ends alike", "https://evil.com,https://app.example.com"],
    ["one that begins alike", `${page}.evil.com`],
    ["a part of one", "https://app.example"],
    ["the empty one", "null"],
    ["one with another scheme", "http://app.example.com"],
    ["one that is a pattern", "https://...\\.example.com|.*"],
  ])("that it does not name may not: %s", async (_, origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      const { headers } = await ask(origin, method);
      const named = [...headers.keys()].filter((name) => name.startsWith("access-control-"));
      expect(named).toEqual([]);
    }
  });
});

describe("What is not the API", () => {
  test.each(["/ready", "/live", "/metrics", "/config", "/schema_cache"])(
    "is not behind the edge: PostgREST's admin server, %s",
    async (path) => {
      expect((await fetch(`http://${api.address}:3001/ready`)).status).toBe(200);
      const authorization = `Authorization: Bearer ${sign(claimsFor(alice.id))}`;
      for (const [line, host] of [
        [path, "edge"],
        [path, `${api.address}:3001`],
        [`http://${api.address}:3001${path}`, `${api.address}:3001`],
      ]) {
        const bytes = `GET ${line} HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\nConnection: close\r\n\r\n`;
        expect((await sendBytes(edge, bytes)).status).toBe(404);
      }
    },
  );
});

describe("Port 80", () => {
  const plain = (path: string, host = "api.example.com") =>
    new Promise<{ status: number | undefined; location: string | undefined; body: string }>(
      (resolve, reject) => {
        const options = { host: edge.host, port: 8080, path, headers: { host } };
        get(options, (response) => {
          let body = "";
          response.on("data", (chunk) => {
            body += chunk;
          });
          response.on("end", () =>
            resolve({ status: response.statusCode, location: response.headers.location, body }),
          );
        }).on("error", reject);
      },
    );

  test("leads to HTTPS, whatever the path", async () => {
    expect(await plain("/tasks?order=id", "api.example.com:80")).toMatchObject({
      status: 308,
      location: "https://api.example.com/tasks?order=id",
    });
    expect(await plain("/tasks", "[2001:db8::1]:80")).toMatchObject({
      location: "https://[2001:db8::1]/tasks",
    });
  });

  test("answers the challenge of ACME with the account's thumbprint, and no other path", async () => {
    const challenge = "/.well-known/acme-challenge/";
    expect(await plain(`${challenge}a-Token_1`)).toMatchObject({
      status: 200,
      body: "a-Token_1.thumb-print",
    });
    for (const path of [`${challenge}a<b`, challenge, `/x${challenge}token`]) {
      expect(await plain(path)).toMatchObject({ status: 308 });
    }
  });
});

test("The log names the request and neither what it looks for nor a token", async () => {
  await alice.ask("/tasks?title=eq.canary-title", { headers: { "x-request-id": "logged-1" } });
  const link = "/auth/reset-password/canary-token?callbackURL=canary";
  await alice.ask(link, { headers: { "x-request-id": "logged-2" } });
  // HAProxy writes a line once it has answered, so it can come after the answer.
  await expect.poll(edge.log).toMatch(/^127\.0\.0\.1 GET \/tasks 200 .* logged-1$/m);
  await expect.poll(edge.log).toMatch(/^127\.0\.0\.1 GET \/auth\/reset-password\/- .* logged-2$/m);
  expect(edge.log()).not.toMatch(/canary|eyJ/);
});
