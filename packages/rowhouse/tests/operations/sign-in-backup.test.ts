import { expect, onTestFinished, test } from "vitest";
import { inDatabase, withClient } from "../../src/stack/database.ts";
import { backUp, listFaults, runDrill } from "../support/backup.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { hasDebianServer, startDebianServer } from "../support/debian-server.ts";
import {
  askTasks,
  fetchToken,
  type SignInStack,
  signIn,
  signUp,
  startWithSignIn,
} from "../support/sign-in.ts";

/** An empty database on a server of its own, whose pg_dump is installed. */
async function emptyServer(): Promise<string> {
  const server = await startDebianServer();
  onTestFinished(() => server.stop());
  await withClient(server.url, (client) => client.query("create database app"));
  return inDatabase(server.url, "app");
}

/** Whether a session of before goes on, the password signs in, and the API takes the tokens. */
async function statuses(stack: SignInStack, session: string, email: string): Promise<number[]> {
  const tokens = [
    await fetchToken(stack, session),
    await fetchToken(stack, await signIn(stack, email)),
  ];
  return Promise.all(tokens.map(async (token) => (await askTasks(stack, token)).status));
}

test("Accounts and sessions are in a physical backup, which the drill proves", async () => {
  const stack = await startWithSignIn();
  const session = await signUp(stack, "alice@example.com");
  await backUp(stack.home);
  const late = await signUp(stack, "late@example.com");
  await stack.end();
  expect(listFaults(await runDrill(stack.home))).toEqual([]);
  expect((await rowhouse(["restore"], stack.env)).code).toBe(0);

  const restored = await startWithSignIn(stack.env);
  expect(await statuses(restored, session, "alice@example.com")).toEqual([200, 200]);
  await expect(fetchToken(restored, late)).rejects.toThrow();
});

// `apt install postgresql-15` brings a server and the pg_dump that fits it.
test.runIf(hasDebianServer)(
  "A dump brings accounts and the role of the service to another server",
  async () => {
    const passwords = {
      AUTHENTICATOR_PASSWORD: "authenticator-tests",
      IDENTITY_PASSWORD: "identity-tests",
    };
    const env = { ROWHOUSE_HOME: newHome(), ...passwords, DATABASE_URL: await emptyServer() };
    const stack = await startWithSignIn(env);
    const session = await signUp(stack, "alice@example.com");
    await backUp(stack.home, "--url", env.DATABASE_URL);
    await stack.end();
    expect(listFaults(await runDrill(stack.home))).toEqual([]);

    const target = await emptyServer();
    const restored = await rowhouse(["restore", "--url", target], { ROWHOUSE_HOME: stack.home });
    expect(restored).toMatchObject({ code: 0 });
    const checked = await rowhouse(["db", "check", "--against", target], env);
    expect(checked).toMatchObject({ code: 0 });
    const elsewhere = await startWithSignIn({ ...stack.env, DATABASE_URL: target });
    expect(await statuses(elsewhere, session, "alice@example.com")).toEqual([200, 200]);
  },
);
