import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { loginUrl } from "../../src/stack/login.ts";
import { launch, type Server } from "../../src/stack/process.ts";
import { caller } from "../../src/testing/api.ts";
import { migratedClone } from "../../src/testing/database.ts";
import { projectRoot } from "../support/project.ts";
import { addressOf, type Edge, type Postgrest, startEdge, startPostgrest, watch } from "./edge.ts";
import { type Odd, oddParts, sendOdd } from "./odd.ts";

const page = "https://app.example.com";
const proxy = "127.7.7.7";
let dir: string;
let databaseUrl: string;
let service: Server;
let api: Postgrest;
let edge: Edge;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "rowhouse-edge-auth-"));
  databaseUrl = await migratedClone();
  const address = addressOf(30);
  service = await launchService(address);
  api = await startPostgrest(databaseUrl, {}, `@${join(dir, "jwks.json")}`);
  edge = await startEdge({
    apis: [api.address],
    auth: address,
    variables: { CORS_ORIGINS: page, EDGE_TRUSTED_PROXIES: proxy },
  });
});
afterAll(async () => {
  await edge.stop();
  await api.stop();
  await service.stop();
  rmSync(dir, { recursive: true });
});

/** Starts the service as compose does; all addresses of this machine count as proxies, as those of a LAN. */
async function launchService(address: string): Promise<Server> {
  mkdirSync(join(dir, "mail"));
  const logFile = join(dir, "auth.log");
  const program = createRequire(join(projectRoot, "package.json")).resolve("@rowhouse/auth/main");
  const server = await launch(
    {
      command: process.execPath,
      args: [program],
      env: {
        ...process.env,
        AUTH_HOST: address,
        AUTH_PORT: "3001",
        AUTH_URL: "https://api.example.com/auth",
        AUTH_SECRET: "a-secret-for-tests-that-is-long-enough",
        AUTH_DATABASE_URL: loginUrl(databaseUrl, "identity_service", inject("identityPassword")),
        AUTH_KEYS_FILE: join(dir, "jwks.json"),
        AUTH_MAIL_DIR: join(dir, "mail"),
        AUTH_ORIGINS: page,
        AUTH_PROXIES: "127.0.0.0/8",
      },
      logFile,
    },
    "SIGTERM",
  );
  watch(server);
  const ready = async () =>
    (await fetch(`http://${address}:3001/auth/ready`).catch(() => undefined))?.ok || undefined;
  if (await waitFor(ready, 25, 20_000)) return server;
  throw new Error(readFileSync(logFile, "utf8"));
}

interface Sent {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** The address of this machine that it comes from. */
  readonly from?: string;
}

/** Asks the edge for a path of the service. */
function ask(path: string, { body, headers = {}, from }: Sent = {}) {
  return new Promise<{ status: number; headers: Headers; text: string }>((resolve, reject) => {
    const outgoing = request(
      `${edge.url}/auth${path}`,
      {
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json", ...headers },
        ca: readFileSync(inject("certificate")),
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      async (incoming) =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: new Headers(incoming.headers as Record<string, string>),
          text: await text(incoming),
        }),
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The service sends it once it has answered. */
async function firstMail(): Promise<string> {
  const folder = join(dir, "mail");
  // A name with a dot before it is of one that is still written.
  const find = () => readdirSync(folder).find((name) => !name.startsWith("."));
  const name = await waitFor(find, 25, 10_000);
  return name === undefined ? "" : readFileSync(join(folder, name), "utf8");
}

/** Of Ada, who signs in first. */
let session: string | null;

const person = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

test("A person signs up and in through the edge, and their token is taken there", async () => {
  expect((await ask("/sign-up/email", { body: person })).status).toBe(200);
  const link = /^https\S+$/m.exec(await firstMail())?.[0] ?? "";
  expect(link).toMatch(/^https:\/\/api\.example\.com\/auth\//);
  expect((await ask(link.replace(/^.*?\/auth/, ""))).status).toBe(302);
  const signedIn = await ask("/sign-in/email", { body: person, headers: { origin: page } });
  expect(signedIn.headers.get("access-control-expose-headers")).toContain("Set-Auth-Token");
  // At an https address, too: Better Auth names its cookies otherwise there.
  session = signedIn.headers.get("set-auth-token");
  expect(session).not.toBeNull();
  const asked = await ask("/token", { headers: { authorization: `Bearer ${session}` } });
  const ada = caller(edge, JSON.parse(asked.text).token);
  expect(await ada.ask("/tasks", { method: "POST", body: { title: "Hello" } })).toMatchObject({
    status: 201,
  });
});

test("The service's limits count clients by their own address, whatever they claim", async () => {
  const counted = async () =>
    withClient(inDatabase(inject("serverUrl"), new URL(databaseUrl).pathname.slice(1)), (client) =>
      client.query<{ key: string }>("select key from identity.rate_limits"),
    );
  const claims = { "x-forwarded-for": "203.0.113.1, 127.0.0.99", forwarded: "for=203.0.113.1" };
  const from = (address: string) =>
    ask("/sign-in/email", { body: person, headers: claims, from: address });
  for (let turn = 0; turn < 31; turn += 1) {
    if ((await from("127.9.9.1")).status === 429) break;
  }
  const refused = await from("127.9.9.1");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
  expect((await from("127.9.9.2")).status).not.toBe(429);
  // No other spelling of the path is served uncounted.
  for (const path of [
    "//sign-in/email",
    "/sign-in/email/",
    "/x/../sign-in/./email",
    "/sign-in%2Femail",
    "/Sign-In/email",
    "/sign-in/email;x",
  ]) {
    const { status } = await ask(path, { body: person, headers: claims, from: "127.9.9.1" });
    expect([404, 429], path).toContain(status);
  }
  const byProxy = { "x-forwarded-for": "203.0.113.1, 203.0.113.9" };
  await ask("/sign-in/email", { body: person, headers: byProxy, from: proxy });
  const keys = (await counted()).rows.map(({ key }) => key).join("\n");
  expect(keys).toContain("127.9.9.1");
  expect(keys).toContain("203.0.113.9");
  expect(keys).not.toMatch(/203\.0\.113\.1|127\.0\.0\.99|127\.7\.7\.7/);
});

test("A page of another origin is not served, and one that is named is", async () => {
  const from = (origin: string) => ask("/jwks", { headers: { origin } });
  const [named, other] = [await from(page), await from("https://evil.example.com")];
  expect([named.status, named.headers.get("access-control-allow-origin")]).toEqual([200, page]);
  expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([403, null]);
});

test("The service's own page keeps the policy that it needs", async () => {
  const { status, headers } = await ask("/done");
  expect(status).toBe(200);
  expect(headers.get("content-security-policy")).toContain("style-src");
  expect(headers.get("strict-transport-security")).not.toBeNull();
});

/** What the service has, and some of what it does not serve. */
const endpoints =
  "sign-up/email sign-in/email sign-in/magic-link sign-in/social sign-in/redirect sign-in/passkey sign-out get-session list-sessions revoke-session revoke-sessions token jwks ready done verify-email send-verification-email request-password-reset reset-password reset-password/x magic-link/verify change-password change-email update-user delete-user delete-user/callback list-accounts link-social unlink-account refresh-token get-access-token account-info two-factor/enable two-factor/verify-totp two-factor/verify-backup-code two-factor/send-otp passkey/generate-register-options passkey/generate-authenticate-options passkey/verify-registration passkey/verify-authentication passkey/list-user-passkeys passkey/delete-passkey passkey/update-passkey one-time-token/verify one-time-token/generate callback/google callback/nope oauth2/callback/nope error ok".split(
    " ",
  );

const fields =
  "email password name newPassword currentPassword newEmail token callbackURL redirectTo errorCallbackURL provider providerId code state error id response credential image rememberMe otpCode trustDevice toString __proto__".split(
    " ",
  );

/** Makes odd requests of the service, each from an address of its own: it counts those of one. */
function oddities(seed: number): () => Odd {
  const { random, below, one, some, anyText, encode, headerText } = oddParts(seed);
  const value = (): unknown =>
    one<() => unknown>([
      anyText,
      () => one(["ada@example.com", "correct horse battery", page, `${page}/x`, "//evil.example"]),
      () => below(1e9),
      () => one([null, true, -1, 1e308]),
      () => [anyText()],
      () => ({ [anyText()]: anyText() }),
    ])();
  const body = (): Buffer =>
    one([
      () => Buffer.from(JSON.stringify(Object.fromEntries(some(6, () => [one(fields), value()])))),
      () => Buffer.from(JSON.stringify(Object.fromEntries(some(6, () => [one(fields), value()])))),
      () => Buffer.from(JSON.stringify(value())),
      () => Buffer.from(`{"email":${one(["1e999", "-", "tru", '"\\ud800"', '"\\u0000"'])}}`),
      () => Buffer.from("[".repeat(below(20_000))),
      () => Buffer.from(some(40, () => below(256))),
      () => Buffer.from("x".repeat(64 * 1024 + below(100))),
    ])();
  const header = (): [string, string] =>
    one<() => [string, string]>([
      () => [
        "authorization",
        one(["Bearer", "Bearer x.y", "Basic eDp5", `Bearer ${headerText()}`]),
      ],
      () => ["authorization", `Bearer ${session}`],
      () => ["auth-state", headerText()],
      () => ["cookie", `better-auth.session_token=${headerText()}`],
      () => ["origin", one([page, "null", headerText()])],
      () => ["content-type", one(["text/plain", "multipart/form-data; boundary=x", headerText()])],
      () => ["user-agent", headerText()],
      () => ["x-forwarded-for", headerText()],
    ])();
  const endpoint = () =>
    one([
      () => one(endpoints),
      () => one(endpoints),
      () => one(endpoints),
      () => encode(anyText()),
    ])();
  return () => {
    const method = one(["GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE"]);
    const query = some(3, () => `${one(fields)}=${encode(String(value()))}`).join("&");
    return {
      method,
      path: `/auth/${endpoint()}${query === "" ? "" : `?${query}`}`,
      headers: Object.fromEntries([["content-type", "application/json"], ...some(3, header)]),
      body: /^P/.test(method) && random() < 0.9 ? body() : undefined,
      from: `127.${100 + below(100)}.${below(256)}.${1 + below(250)}`,
    };
  };
}

test("Odd requests of the service are answered: no 5xx, no leak, errors in JSON with a code", async () => {
  const { seed, statuses, faults } = await sendOdd(edge, oddities, 1000);
  expect(faults.slice(0, 5), `TEST_SEED=${seed}, ${faults.length} faults`).toEqual([]);
  // It reaches what is served, and not only what refuses.
  expect(statuses.get(200)).toBeGreaterThan(10);
});

test("A path that only begins alike is none of the service's", async () => {
  const { status, text: body } = await ask("entic");
  expect([status, JSON.parse(body).code]).toEqual([401, "42501"]);
});

test("While the service is away, its paths are 503 and the API serves", async () => {
  process.kill(service.pid, "SIGKILL");
  await service.ended;
  edge.names.set("auth", []);
  await expect.poll(async () => (await ask("/token")).status, { timeout: 30_000 }).toBe(503);
  expect(JSON.parse((await ask("/token")).text)).toMatchObject({ code: "EDGE503" });
  expect((await caller(edge).ask("/tasks")).status).toBe(401);
});
