import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { type Backend, startBackend } from "../../src/testing/backend.ts";
import { newSeed, randomly } from "../../src/testing/random.ts";
import { type Edge, type Postgrest, startEdge, startPostgrest } from "./edge.ts";

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

interface Odd {
  readonly method: string;
  /** Bytes, one a character. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

/** Makes odd requests, the same for the same seed. */
function oddities(seed: number): () => Odd {
  const random = randomly(seed);
  const below = (count: number) => Math.floor(random() * count);
  const one = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const some = <T>(most: number, make: () => T) => Array.from({ length: below(most + 1) }, make);
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  const texts = [
    () =>
      one(["", "a", "null", "true", "eq.", "in.()", "is.null", "..", "*", "'", '"', "\\", ";--"]),
    () => one(["\0", "\ud800", "\uffff", "é", "😀", "\u202e", "\r\n", "\t", "\x7f"]),
    () => one(["1e999999999", "-0", "9".repeat(400), "NaN", "Infinity", "0x10", "1e-400"]),
    () => String.fromCharCode(...some(8, () => below(0x250))),
    () => "(".repeat(below(200)),
    () => "x".repeat(below(4000)),
  ];
  const anyText = () => one(texts)();
  const wellFormed = (value: string) => Buffer.from(value).toString();
  const encode = (value: string) =>
    one([
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value).replaceAll("\0", "")),
      () => encodeURIComponent(wellFormed(value)),
      () =>
        Buffer.from(value)
          .toString("latin1")
          .replace(/[\s#\0-\x20\x7f]/g, "%20"),
      () => `%${below(256).toString(16).padStart(2, "0")}`,
      () => `%${one(["", "2", "zz", "u0041"])}`,
    ])();
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
  const headerText = () =>
    one([() => anyText(), () => String.fromCharCode(...some(6, () => 1 + below(255)))])().replace(
      // What Node sends at all: requests.test.ts has the rest.
      /[^\t\x20-\x7e\x80-\xff]/g,
      "",
    );
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

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends it; fails when no answer comes within 8 s. */
function send({ method, path, headers, body }: Odd) {
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const outgoing = request(
      edge.url,
      {
        method,
        agent,
        timeout: 8000,
        headers: { ...headers, ...(body === undefined ? {} : { "content-length": body.length }) },
      },
      async (incoming) => {
        const { statusCode = 0, headers: answered } = incoming;
        resolve({
          status: statusCode,
          type: String(answered["content-type"] ?? ""),
          text: await text(incoming).catch(String),
        });
      },
    );
    // Node would refuse what is no address; this is the line that is sent.
    outgoing.path = path;
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Names that no error may hold, of the servers and of what lies outside of the API. */
const secrets = /authenticator|postgrest|haproxy|localhost|private\.|request\.\w+\(/i;

function faultOf(odd: Odd, answer: { status: number; type: string; text: string }) {
  const { status, type, text: body } = answer;
  if (status >= 500) return "5xx";
  if (/canary|127\.\d/.test(body)) return "leak";
  if (status < 400 || odd.method === "HEAD") return undefined;
  if (secrets.test(body)) return "leak";
  if (!type.startsWith("application/json")) return `type ${type}`;
  const { code } = JSON.parse(body) as { code?: unknown };
  return typeof code === "string" ? undefined : "no code";
}

/** A request as a person can read it. */
const show = ({ headers: { authorization, ...headers }, body, ...odd }: Odd) => ({
  ...odd,
  headers: authorization === `Bearer ${token}` ? headers : { ...headers, authorization },
  body: body?.toString("latin1").slice(0, 200),
});

test("Odd requests, by generation, are answered: no 5xx, no leak, errors in JSON with a code", async () => {
  const seed = newSeed();
  const next = oddities(seed);
  const faults: unknown[] = [];
  const statuses = new Map<number, number>();
  let left = requests;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      const odd = next();
      try {
        const answer = await send(odd);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const fault = faultOf(odd, answer);
        if (fault !== undefined) faults.push([fault, show(odd), answer]);
      } catch (error) {
        faults.push([String(error), show(odd)]);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, loop));
  process.stdout.write(`seed ${seed}: ${JSON.stringify([...statuses].sort())}\n`);
  expect(faults.slice(0, 5), `TEST_SEED=${seed}, ${faults.length} faults`).toEqual([]);
  // It asks what is served, too, and not only what the edge refuses.
  expect(statuses.get(200)).toBeGreaterThan(20);
});
