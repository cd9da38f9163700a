import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { freePort } from "../../src/stack/ports.ts";
import { readyHome, rowhouse, startStack } from "../support/cli.ts";

const person = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function startWithSignIn(env: Record<string, string> = {}) {
  const authPort = String(await freePort());
  return startStack({ ROWHOUSE_HOME: readyHome(), AUTH: "on", AUTH_PORT: authPort, ...env });
}

function signInUrl(output: string): string {
  return /^ +Sign-in: +(http\S+\/auth)$/m.exec(output)?.[1] ?? "";
}

/** The addresses at which a process takes connections, as /proc writes them (proc_pid_net(5)). */
function listAddresses(pid: number): string[] {
  const readLink = (fd: string) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ""; // Closed meanwhile.
    }
  };
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(readLink));
  const lines = ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n").slice(1),
  );
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === "0A" && open.has(`socket:[${inode}]`))
    .map(([, local = ""]) => local.replace(/:.*/, ""));
}

test("every server of a stack listens on this machine alone, PostgREST's admin port, too", async () => {
  const { postgres = 0, postgrest = 0, ...others } = (await startWithSignIn()).servers();
  const loopback = "0100007F";
  expect(listAddresses(postgres)).toEqual([loopback]);
  expect(listAddresses(postgrest)).toEqual([loopback, loopback]);
  expect(Object.values(others).flatMap(listAddresses)).toEqual([loopback]);
});

test("a start runs the sign-in service, whose tokens the API takes, also after the next start", async () => {
  const stack = await startWithSignIn();
  const url = signInUrl(stack.output());
  expect(stack.servers()).toHaveProperty("node");
  expect((await post(`${url}/sign-up/email`, person)).status).toBe(200);

  const mailDir = join(stack.home, "mail");
  const mail = await waitFor(() => mailIn(mailDir), 25, 10_000);
  const [link = ""] = /http\S+/.exec(mail ?? "") ?? [];
  expect((await fetch(link)).status).toBe(200);

  const signedIn = await post(`${url}/sign-in/email`, person);
  const session = signedIn.headers.get("set-auth-token") ?? "";
  const tasksWith = async (auth: string, api: string) => {
    const answer = await fetch(`${auth}/token`, {
      headers: { Authorization: `Bearer ${session}` },
    });
    const { token } = (await answer.json()) as { token: string };
    const tasks = await fetch(`${api}/tasks`, { headers: { Authorization: `Bearer ${token}` } });
    return tasks.status;
  };
  expect(await tasksWith(url, stack.url)).toBe(200);
  for (const file of ["auth-secret", "jwks.json", "auth.log"]) {
    expect(statSync(join(stack.home, file)).mode & 0o777).toBe(0o600);
  }

  await stack.end();
  const next = await startStack({ ...stack.env, ROWHOUSE_HOME: stack.home });
  expect(await tasksWith(signInUrl(next.output()), next.url)).toBe(200);

  // Tokens of the home's own secret are taken beside them.
  const { stdout } = await rowhouse(["token", "bob@example.com"], next.env);
  const answer = await fetch(`${next.url}/tasks`, {
    headers: { Authorization: `Bearer ${stdout.trim()}` },
  });
  expect(answer.status).toBe(200);
});

function mailIn(dir: string): string | undefined {
  try {
    // A name with a dot before it is of one that is still written.
    const file = readdirSync(dir).find((name) => !name.startsWith("."));
    return file === undefined ? undefined : readFileSync(join(dir, file), "utf8");
  } catch {
    return undefined; // No mail yet.
  }
}

test("the sign-in service is restarted when it ends, and tells why no mail can leave", async () => {
  const authPort = String(await freePort());
  const stack = await startWithSignIn({
    AUTH_PORT: authPort,
    AUTH_URL: `http://127.0.0.1:${authPort}/auth/`,
    SMTP_URL: "smtp://127.0.0.1:1",
  });
  await stack.prints(/^Sign-in cannot send mail by SMTP_URL: connect ECONNREFUSED/m);
  const pid = stack.pid("node");
  process.kill(pid, "SIGKILL");
  await stack.prints(/The sign-in service runs again/);
  expect((await fetch(`${signInUrl(stack.output())}/ready`)).status).toBe(200);
});

test("with AUTH=off there is none, and the start says so", async () => {
  const stack = await startStack({ ROWHOUSE_HOME: readyHome(), AUTH: "off" });
  expect(stack.output()).toMatch(/^ +Sign-in: +off: AUTH=off$/m);
  expect(stack.servers()).not.toHaveProperty("node");
});

test.each([
  ["AUTH", "maybe", /AUTH must be on or off/],
  ["AUTH_PORT", "0", /AUTH_PORT/],
  ["AUTH_URL", "example.com", /AUTH_URL is no address/],
  ["AUTH_URL", "ftp://example.com/auth", /AUTH_URL is no address/],
  ["AUTH_URL", "https://example.com/", /AUTH_URL must end in a path/],
  ["SMTP_URL", "mail.example.com:587", /SMTP_URL is no URL/],
  ["AUTH_ISSUER", "tenant", /AUTH_ISSUER is no address/],
])("%s=%s is refused before anything starts", async (name, value, message) => {
  const { code, stderr } = await rowhouse(["start"], { ROWHOUSE_HOME: readyHome(), [name]: value });
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
});

test("JWT_ROLE=postgres is refused: request.check() takes users' tokens alone", async () => {
  const env = { ROWHOUSE_HOME: readyHome(), API_PORT: String(await freePort()), AUTH: "off" };
  const { code, stderr } = await rowhouse(["start"], { ...env, JWT_ROLE: "postgres" });
  expect(code).toBe(1);
  expect(stderr).toMatch(/\[settings_invalid\] JWT_ROLE must be authenticated, or empty/);
});

test("a secret that is too short is a clear error", async () => {
  const env = { AUTH: "on", AUTH_PORT: String(await freePort()), AUTH_SECRET: "short" };
  const { code, stderr } = await rowhouse(["start"], {
    ROWHOUSE_HOME: readyHome(),
    API_PORT: String(await freePort()),
    ...env,
  });
  expect(code).toBe(1);
  expect(stderr).toContain("error [sign_in_failed]");
  expect(stderr).toMatch(/AUTH_SECRET.* must be at least 32 characters/);
});

/** A provider with one key, and a token that it signs for a user of its own. */
async function startProvider() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keys = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256" }] };
  let issuer = "";
  const server = createServer(({ url }, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(url === "/keys" ? keys : { issuer, jwks_uri: `${issuer}/keys` }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const claims = {
    iss: issuer,
    sub: `user_${randomUUID()}`,
    exp: Math.floor(Date.now() / 1000) + 300,
  };
  return {
    issuer,
    token: jwt.sign(claims, privateKey, { algorithm: "RS256", keyid: "k1" }),
    server,
  };
}

test("with AUTH_ISSUER the API takes the tokens of that provider, also while it is away", async () => {
  const provider = await startProvider();
  const settings = { AUTH_ISSUER: provider.issuer, JWT_AUD: "none", JWT_ROLE: "authenticated" };
  const stack = await startWithSignIn(settings);
  expect(stack.output()).toContain(`Sign-in:   at ${provider.issuer}`);
  const status = async (url: string) => {
    const created = await post(
      `${url}/tasks`,
      { title: "Say hello" },
      {
        Authorization: `Bearer ${provider.token}`,
        Prefer: "return=representation",
      },
    );
    return created.status;
  };
  expect(await status(stack.url)).toBe(201);

  await stack.end();
  provider.server.close();
  provider.server.closeAllConnections();
  const next = await startStack({ ...stack.env, ROWHOUSE_HOME: stack.home });
  expect(await status(next.url)).toBe(201);
});

test("a provider that was never reached is a clear error", async () => {
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const { code, stderr } = await rowhouse(["start"], {
    ROWHOUSE_HOME: readyHome(),
    API_PORT: String(await freePort()),
    AUTH: "on",
    AUTH_PORT: String(await freePort()),
    AUTH_ISSUER: issuer,
  });
  expect(code).toBe(1);
  expect(stderr).toContain(`Cannot read ${issuer}/.well-known/openid-configuration`);
});
