import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../src/lib/wait.ts";
import { type RunningStack, startStack } from "./cli.ts";
import type { Variables } from "./environment.ts";
import { stackPort } from "./ports.ts";
import { projectRoot } from "./project.ts";

/** A stack with the sign-in service. */
export interface SignInStack extends RunningStack {
  readonly authUrl: string;
}

/** Starts one; it ends with the test. */
export async function startWithSignIn(
  variables: Variables = {},
  project = projectRoot,
): Promise<SignInStack> {
  const port = variables.AUTH_PORT ?? (await stackPort());
  const stack = await startStack({ AUTH: "on", ...variables, AUTH_PORT: port }, "start", project);
  return { ...stack, authUrl: `http://127.0.0.1:${port}/auth` };
}

const password = "correct horse battery";

/** A new person who has signed up and followed the mailed link; returns their session. */
export async function signUp(stack: SignInStack, email: string): Promise<string> {
  const signedUp = await post(stack, "/sign-up/email", { name: email, email, password });
  if (!signedUp.ok) throw new Error(`sign-up answered ${signedUp.status}`);
  await fetch(await mailedLink(stack, email), { redirect: "manual" });
  return signIn(stack, email);
}

/** Signs in with the password; returns the session. */
export async function signIn(stack: SignInStack, email: string): Promise<string> {
  const { headers, status } = await post(stack, "/sign-in/email", { email, password });
  const session = headers.get("set-auth-token");
  if (session === null) throw new Error(`sign-in answered ${status}`);
  return session;
}

/** The answer to a session that asks for a token. */
export function askToken({ authUrl }: SignInStack, session: string): Promise<Response> {
  return fetch(`${authUrl}/token`, { headers: { Authorization: `Bearer ${session}` } });
}

/** A token for the API. */
export async function fetchToken(stack: SignInStack, session: string): Promise<string> {
  const response = await askToken(stack, session);
  const body = (await response.json()) as { token?: string };
  if (body.token === undefined) throw new Error(`/token answered ${JSON.stringify(body)}`);
  return body.token;
}

/** Asks the API for the list of tasks with a token. */
export function askTasks({ url }: RunningStack, token: string): Promise<Response> {
  return fetch(`${url}/tasks`, { headers: { Authorization: `Bearer ${token}` } });
}

/** The id of the key that has signed a token; undefined for those of `rowhouse token`. */
export function keyOf(token: string): string | undefined {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}

/** The link in the newest mail to an address; the service sends it once it has answered. */
async function mailedLink({ home }: RunningStack, email: string): Promise<string> {
  const link = await waitFor(() => findLink(join(home, "mail"), email), 25, 10_000);
  if (link === undefined) throw new Error(`no link was mailed to ${email}`);
  return link;
}

function findLink(dir: string, email: string): string | undefined {
  if (!existsSync(dir)) return undefined;
  // A name with a dot before it is of one that is still written.
  const file = readdirSync(dir)
    .filter((name) => name.endsWith(`-${email}.txt`) && !name.startsWith("."))
    .sort()
    .at(-1);
  return file && /^http\S+$/m.exec(readFileSync(join(dir, file), "utf8"))?.[0];
}

function post({ authUrl }: SignInStack, path: string, body: unknown): Promise<Response> {
  return fetch(`${authUrl}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}
