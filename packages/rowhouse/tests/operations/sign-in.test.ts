import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Diagnosis } from "../../src/health/doctor/doctor.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { startCluster } from "../../src/testing/cluster.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import {
  askTasks,
  askToken,
  fetchToken,
  type SignInStack,
  signIn,
  signUp,
  startWithSignIn,
} from "../support/sign-in.ts";

/** A stack with sign-in on a server that tests can stop. */
async function startBeside() {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  await withClient(cluster.url, (client) => client.query("create database app"));
  const stack = await startWithSignIn({
    ROWHOUSE_HOME: newHome(),
    DATABASE_URL: inDatabase(cluster.url, "app"),
    AUTHENTICATOR_PASSWORD: "authenticator-tests",
    IDENTITY_PASSWORD: "identity-tests",
  });
  return { cluster, stack };
}

/** Resolves with the first answer to a session that is a token. */
async function tokenAgain(stack: SignInStack, session: string): Promise<string> {
  const ask = async () => fetchToken(stack, session).catch(() => undefined);
  const token = await waitFor(ask, 50, 30_000);
  if (token === undefined) throw new Error("no token within 30 s");
  return token;
}

/** Resolves when the API serves a token. */
async function servesAgain(stack: SignInStack, token: string): Promise<boolean> {
  const ask = async () => ((await askTasks(stack, token)).status === 200 ? true : undefined);
  return (await waitFor(async () => ask().catch(() => undefined), 50, 30_000)) ?? false;
}

test("While PostgreSQL is away the service says so, and afterwards users are still signed in", async () => {
  const { cluster, stack } = await startBeside();
  const session = await signUp(stack, "alice@example.com");
  const service = stack.servers().node;
  await cluster.halt();

  const paths = ["/token", "/get-session", "/list-sessions", "/jwks", "/ready"];
  for (const path of [...paths, "/sign-in/email", "/sign-up/email", "/request-password-reset"]) {
    const body = { email: "bob@example.com", name: "Bob", password: "correct horse battery" };
    const response = await fetch(`${stack.authUrl}${path}`, {
      headers: { Authorization: `Bearer ${session}`, "Content-Type": "application/json" },
      ...(paths.includes(path) ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    expect([path, response.status, await response.json()]).toEqual([
      path,
      503,
      { code: "UNAVAILABLE", message: expect.any(String) },
    ]);
    expect(response.headers.get("retry-after")).toBe("1");
  }

  await cluster.restart();
  expect(await servesAgain(stack, await tokenAgain(stack, session))).toBe(true);
  expect(stack.servers().node).toBe(service);
});

test("A mail is printed in the terminal of the start, with a link that confirms the address", async () => {
  const stack = await startWithSignIn();
  const person = { email: "alice@example.com", name: "Alice", password: "correct horse battery" };
  await fetch(`${stack.authUrl}/sign-up/email`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(person),
  });
  await stack.prints(/^Mail for alice@example\.com: Confirm your email address\n {2}http\S+$/m);
  const link = /^ {2}(http\S+verify-email\S+)$/m.exec(stack.output())?.[1] ?? "";
  expect((await fetch(link, { redirect: "manual" })).status).toBe(302);
  expect(await signIn(stack, person.email)).not.toBe("");
  expect(stack.output().match(/^Mail for/gm)).toHaveLength(1);
});

test("A service that is killed starts again, and its sessions go on", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const token = await fetchToken(stack, session);
  process.kill(stack.pid("node"), "SIGKILL");
  await stack.prints(/^The sign-in service runs again/m);
  for (const one of [token, await fetchToken(stack, session)]) {
    expect((await askTasks(stack, one)).status).toBe(200);
  }
});

test("A service that is killed while PostgreSQL is away waits for it, and the stack goes on", async () => {
  const { cluster, stack } = await startBeside();
  const session = await signUp(stack, "alice@example.com");
  await cluster.halt();
  process.kill(stack.pid("node"), "SIGKILL");
  await stack.prints(/^The sign-in service ended/m);
  const isAway = async () => (await askToken(stack, session).catch(() => undefined)) === undefined;
  expect(await isAway()).toBe(true);
  await cluster.restart();
  expect(await servesAgain(stack, await tokenAgain(stack, session))).toBe(true);
  expect(stack.output().match(/^The sign-in service ended/gm)).toHaveLength(1);
});

test.each([
  ["20 s ahead", 20, 200],
  ["20 s behind", -20, 200],
  ["90 s ahead, which is too much", 90, 401],
])("A token of a service whose clock is %s", async (_, shift, status) => {
  const stack = await startWithSignIn({
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "../support/shift-clock.mjs")}`,
    CLOCK_SHIFT_SECONDS: String(shift),
  });
  const session = await signUp(stack, "alice@example.com");
  const token = await fetchToken(stack, session);
  const { iat } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  expect(Math.abs(iat - Date.now() / 1000 - shift)).toBeLessThan(10);
  expect((await askTasks(stack, token)).status).toBe(status);
  expect(await signIn(stack, "alice@example.com")).not.toBe("");
});

test("Status and doctor show the service, and whether it answers, without a secret", async () => {
  const stack = await startWithSignIn();
  const run = (command: string) => rowhouse([command, "--json"], stack.env);
  const ofDoctor = async () =>
    (JSON.parse((await run("doctor")).stdout) as Diagnosis[]).filter(({ check }) =>
      ["sign-in", "settings", "keys"].includes(check),
    );
  const up = await run("status");
  expect(JSON.parse(up.stdout)).toMatchObject({ signIn: { url: stack.authUrl, answers: true } });
  expect(await ofDoctor()).toEqual([]);
  const secret = readFileSync(join(stack.home, "auth-secret"), "utf8");
  expect(up.stdout).not.toContain(secret);

  process.kill(stack.pid("node"), "SIGSTOP");
  const down = await run("status");
  expect(down.code).toBe(1);
  expect(JSON.parse(down.stdout)).toMatchObject({
    signIn: { url: stack.authUrl, answers: false },
    problems: [`The sign-in service does not answer at ${stack.authUrl}.`],
  });
  expect(await ofDoctor()).toMatchObject([{ check: "sign-in", level: "wrong" }]);
  process.kill(stack.pid("node"), "SIGCONT");
});
