import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { startCluster } from "../../src/testing/cluster.ts";
import { inHome } from "../support/backup.ts";
import { newHome, rowhouse, startStack } from "../support/cli.ts";
import { listChildren } from "../support/processes.ts";
import { projectRoot, rowhouseCommand } from "../support/project.ts";
import {
  askTasks,
  askToken,
  fetchToken,
  keyOf,
  type SignInStack,
  signIn,
  signUp,
  startWithSignIn,
} from "../support/sign-in.ts";

/** What was asked while something else ran. */
interface Ledger {
  requests: number;
  tokens: number;
  /** Connections that failed, and answers of a server that is starting: 503. */
  unavailable: number;
  /** All other answers than success, and the key that has signed the token. */
  readonly refusals: { readonly key: string | undefined; readonly text: string }[];
}

/** Rate limits count calls of one address: 120 in a minute. */
const mostTokens = 100;

/** Asks the API and /token, without pause, until the work is done. */
async function underLoad<T>(
  stack: SignInStack,
  session: string,
  tokens: string[],
  work: () => Promise<T>,
): Promise<[T, Ledger]> {
  const ledger: Ledger = { requests: 0, tokens: 0, unavailable: 0, refusals: [] };
  let isDone = false;
  const record = async (asking: Promise<Response>, key?: string): Promise<Response | undefined> => {
    const response = await asking.catch(() => undefined);
    if (response?.ok) return response;
    if (response === undefined || response.status === 503) ledger.unavailable += 1;
    else ledger.refusals.push({ key, text: `${response.status} ${await response.text()}` });
    return undefined;
  };
  const askApi = async (index: number) => {
    for (let i = index; !isDone; i += 1) {
      ledger.requests += 1;
      const token = tokens[i % tokens.length] ?? "";
      const response = await record(askTasks(stack, token), keyOf(token));
      // A wrong answer would be a success that holds something else.
      if (response !== undefined) expect(await response.json()).toEqual([]);
    }
  };
  const askForTokens = async () => {
    while (!isDone && ledger.tokens < mostTokens) {
      ledger.tokens += 1;
      const response = await record(askToken(stack, session));
      if (response !== undefined) tokens.push(((await response.json()) as { token: string }).token);
    }
  };
  const load = [askApi(0), askApi(1), askApi(2), askForTokens()];
  try {
    return [await work(), ledger];
  } finally {
    isDone = true;
    await Promise.all(load);
  }
}

const listKeys = async ({ env }: SignInStack) =>
  JSON.parse((await rowhouse(["keys", "list", "--json"], env)).stdout);

test("While the key is rotated under load, not one request with a valid token is refused", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const first = await fetchToken(stack, session);
  const tokens = [first];

  const [rotated, ledger] = await underLoad(stack, session, tokens, () =>
    rowhouse(["keys", "rotate", "--json"], stack.env),
  );
  expect(rotated).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(rotated.stdout)).toMatchObject([
    { id: keyOf(first), state: "ends" },
    { state: "signs" },
  ]);
  expect(ledger).toMatchObject({ unavailable: 0, refusals: [] });
  expect(ledger.requests).toBeGreaterThan(100);

  const next = await fetchToken(stack, session);
  expect(keyOf(next)).not.toBe(keyOf(first));
  expect(tokens.map(keyOf)).toContain(keyOf(first));
  for (const token of [first, next]) expect((await askTasks(stack, token)).status).toBe(200);
});

test("While PostgREST does not know the new key, the old one signs", async () => {
  // As behind a pooler: PostgREST hears no notification, and loads the key at a signal.
  const stack = await startWithSignIn({ PGRST_DB_CHANNEL_ENABLED: "false" });
  const session = await signUp(stack, "alice@example.com");
  const tokens = [await fetchToken(stack, session)];
  const old = tokens.map(keyOf);

  const [, ledger] = await underLoad(stack, session, tokens, async () => {
    const rotation = rowhouse(["keys", "rotate"], stack.env);
    const isPublished = async () => ((await listKeys(stack)).length > 1 ? true : undefined);
    expect(await waitFor(isPublished, 10, 20_000)).toBe(true);
    tokens.push(await fetchToken(stack, session));
    expect(new Set(tokens.map(keyOf))).toEqual(new Set(old));
    process.kill(stack.pid("postgrest"), "SIGUSR2");
    expect(await rotation).toMatchObject({ code: 0 });
    tokens.push(await fetchToken(stack, session));
  });
  expect(new Set(tokens.map(keyOf)).size).toBe(2);
  expect(ledger).toMatchObject({ unavailable: 0, refusals: [] });
});

test("Keys that are revoked under load take their tokens along, and nothing else", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const old = await fetchToken(stack, session);
  const mine = (await rowhouse(["token", "bob@example.com"], stack.env)).stdout.trim();
  expect((await askTasks(stack, old)).status).toBe(200); // PostgREST has cached it.

  // Of a key that stays: only connections fail, while PostgREST restarts.
  const [revoked, ledger] = await underLoad(stack, session, [mine], () =>
    rowhouse(["keys", "rotate", "--revoke", "--json"], stack.env),
  );
  expect(revoked.code).toBe(0);
  expect(JSON.parse(revoked.stdout)).toMatchObject([{ state: "signs" }]);
  expect(ledger.refusals.filter(({ key }) => key !== keyOf(old))).toEqual([]);

  expect((await askTasks(stack, old)).status).toBe(401);
  expect((await askTasks(stack, mine)).status).toBe(200);
  expect((await askTasks(stack, await fetchToken(stack, session))).status).toBe(200);
});

test("A rotation that is killed half-way leaves working keys, and the next one removes its key", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const before = await fetchToken(stack, session);
  const postgrest = stack.pid("postgrest");
  process.kill(postgrest, "SIGSTOP"); // So the rotation waits for PostgREST.
  const env = { ...process.env, ...stack.env, AUTH: "on", DATABASE_URL: "" };
  const rotation = spawn(process.execPath, [rowhouseCommand, "keys", "rotate"], {
    env,
    cwd: projectRoot,
  });
  const isPublished = async () =>
    (await listKeys(stack)).some(({ state }: { state: string }) => state === "published") ||
    undefined;
  expect(await waitFor(isPublished, 10, 20_000)).toBe(true);
  const second = await rowhouse(["keys", "rotate"], stack.env);
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining("[rotation_running]") });
  for (const pid of Object.values(listChildren(rotation.pid ?? 0))) process.kill(pid, "SIGKILL");
  await once(rotation, "exit");
  process.kill(postgrest, "SIGCONT");

  const after = await fetchToken(stack, session);
  expect(keyOf(after)).toBe(keyOf(before));
  for (const token of [before, after]) expect((await askTasks(stack, token)).status).toBe(200);
  expect((await rowhouse(["keys", "rotate"], stack.env)).code).toBe(0);
  expect(await listKeys(stack)).toMatchObject([
    { id: keyOf(before), state: "ends" },
    { state: "signs" },
  ]);
});

test("A key that has ended goes, also from PostgREST's file, when the service starts again", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const old = keyOf(await fetchToken(stack, session)) ?? "";
  await rowhouse(["keys", "rotate"], stack.env);
  const keysFile = () => readFileSync(join(stack.home, "jwks.json"), "utf8");
  expect(keysFile()).toContain(old);
  await inHome(stack.home, (client) =>
    client.query(
      "update identity.signing_keys set expires_at = now() - interval '1 second' where id = $1",
      [old],
    ),
  );
  process.kill(stack.pid("node"), "SIGKILL");
  expect(await waitFor(() => (keysFile().includes(old) ? undefined : true), 10, 20_000)).toBe(true);
});

test("A new secret of the service signs no user out, and the old one can go later", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  const token = await fetchToken(stack, session);
  const file = join(stack.home, "auth-secret");
  const old = readFileSync(file, "utf8");
  expect(await rowhouse(["keys", "rotate", "--secret"], stack.env)).toMatchObject({ code: 0 });
  expect(readFileSync(file, "utf8")).toMatch(new RegExp(`^[0-9a-f]{64},${old}$`));
  expect((await askTasks(stack, token)).status).toBe(200);
  expect(keyOf(await fetchToken(stack, session))).toBe(keyOf(token));
  const renewed = () =>
    /encrypted 1 values/.test(readFileSync(join(stack.home, "auth.log"), "utf8"));
  expect(await waitFor(() => renewed() || undefined, 10, 20_000)).toBe(true);
  await stack.end();

  writeFileSync(file, readFileSync(file, "utf8").split(",")[0] ?? "");
  const later = await startWithSignIn(stack.env);
  const newSession = await signIn(later, "alice@example.com");
  expect(keyOf(await fetchToken(later, newSession))).toBe(keyOf(token));
  await later.end();

  writeFileSync(file, "x".repeat(64));
  const lost = await rowhouse(["start"], later.env);
  expect(lost.code).toBe(1);
  expect(lost.stderr).toContain("[sign_in_failed]");
  expect(lost.stderr).toContain("[secret_unknown]");

  // As docs/sign-in.md says for a secret that is lost.
  await inHome(stack.home, (client) =>
    client.query("delete from identity.signing_keys; delete from identity.two_factors"),
  );
  const anew = await startWithSignIn(later.env);
  const again = await fetchToken(anew, await signIn(anew, "alice@example.com"));
  expect((await askTasks(anew, again)).status).toBe(200);
});

test("Keys are rotated on a server of one's own, too, and not with other settings", async () => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  await withClient(cluster.url, (client) => client.query("create database app"));
  const stack = await startWithSignIn({
    ROWHOUSE_HOME: newHome(),
    DATABASE_URL: inDatabase(cluster.url, "app"),
    AUTHENTICATOR_PASSWORD: "authenticator-tests",
    IDENTITY_PASSWORD: "identity-tests",
  });
  const session = await signUp(stack, "alice@example.com");
  const before = await fetchToken(stack, session);
  for (const [other, code] of [
    [{ AUTH_SECRET: "x".repeat(32) }, "[secret_unknown]"],
    [{ JWT_SECRET: "x".repeat(32) }, "[settings_differ]"],
  ] as const) {
    const refused = await rowhouse(["keys", "rotate"], { ...stack.env, ...other });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(code) });
  }
  expect(await listKeys(stack)).toMatchObject([{ id: keyOf(before), state: "signs" }]);
  expect((await rowhouse(["keys", "rotate", "--revoke"], stack.env)).code).toBe(0);
  expect((await askTasks(stack, before)).status).toBe(401);
  expect((await askTasks(stack, await fetchToken(stack, session))).status).toBe(200);
});

test("Without a running stack, or with sign-in off, the command says so", async () => {
  const none = await rowhouse(["keys", "rotate"], { ROWHOUSE_HOME: newHome(), AUTH: "on" });
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("[stack_not_running]") });
  const { env } = await startStack({ AUTH: "off" });
  const off = await rowhouse(["keys", "rotate"], { ...env, AUTH: "on" });
  expect(off).toMatchObject({ code: 1, stderr: expect.stringContaining("[sign_in_off]") });
});
