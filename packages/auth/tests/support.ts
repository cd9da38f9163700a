import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Api, freePort, migratedClone, startApi, withClient } from "rowhouse/testing";
import { createAuth } from "../src/auth.ts";
import { createBackground } from "../src/background.ts";
import type { Message } from "../src/mail/messages.ts";
import { createAuthServer } from "../src/server.ts";
import { type AuthSettings, readAuthSettings } from "../src/settings.ts";
import { type KeyContext, prepareKeys } from "../src/signing-keys.ts";
import { identityPassword } from "./global-setup.ts";

/** The origin of the page whose requests the tests send. */
export const pageOrigin = "http://localhost:5173";

export const password = "correct horse battery";

/** A mail that the service has sent. */
interface SentMail extends Message {
  readonly to: string;
}

/** The service on a database of a test's own, with PostgREST beside it. */
export interface SignIn {
  readonly url: string;
  readonly api: Api;
  readonly settings: AuthSettings;
  readonly keys: KeyContext;
  /** All mails, the newest last. */
  readonly mails: readonly SentMail[];
  /** From now on no mail leaves. */
  readonly breakMail: () => void;
  /** Runs statements as the owner of the database. */
  readonly sql: <T extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<T[]>;
  readonly stop: () => Promise<void>;
}

/** An answer of the service. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

/** Starts the service; stop it in afterAll. */
export async function startSignIn(variables: NodeJS.ProcessEnv = {}): Promise<SignIn> {
  const ownerUrl = await migratedClone();
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-auth-"));
  const settings = readAuthSettings({
    AUTH_PORT: String(await freePort()),
    AUTH_SECRET: "a-secret-for-tests-that-is-long-enough",
    AUTH_DATABASE_URL: identityUrl(ownerUrl),
    AUTH_KEYS_FILE: join(dir, "jwks.json"),
    ...variables,
  });
  const mails: SentMail[] = [];
  const background = createBackground();
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 5 });
  pool.on("error", () => {}); // A test that stops PostgreSQL looks at what the service answers.
  let isBroken = false;
  const mail = async (to: string, message: Message) => {
    if (isBroken) throw new Error("the mail server is away");
    mails.push({ to, ...message });
  };
  const auth = createAuth({ settings, pool, mail, background: background.add });
  const keys = { pool, settings };
  await prepareKeys(keys);
  const server = createAuthServer({ auth, pool, settings }).listen(settings.port, settings.host);
  await once(server, "listening");
  const api = await startApi(ownerUrl, { jwtSecret: `@${settings.keyFile.path}` });
  return {
    url: settings.url.href,
    api,
    settings,
    keys,
    mails,
    breakMail: () => {
      isBroken = true;
    },
    sql: async (text, values) =>
      withClient(ownerUrl, async (client) => (await client.query(text, values)).rows),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await background.settled();
      await api.stop();
      await pool.end();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Sends what a page would send. */
export async function ask(
  { url }: Pick<SignIn, "url">,
  path: string,
  {
    body,
    session,
    headers = {},
  }: { body?: unknown; session?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    redirect: "manual",
    headers: {
      Origin: pageOrigin,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}

/** The session that an answer began. */
export function sessionOf({ headers }: Answer): string {
  const session = headers.get("set-auth-token");
  if (session === null) throw new Error("the answer begins no session");
  return session;
}

/** The newest link that was mailed to an address. */
export function linkTo({ mails }: SignIn, address: string): string {
  const link = mails.findLast(({ to, link }) => to === address && link)?.link;
  if (link === undefined) throw new Error(`no link was mailed to ${address}`);
  return link;
}

/** Follows a mailed link as a browser does; returns the page's address that it leads to. */
export async function follow(link: string): Promise<URL> {
  const { status, headers } = await fetch(link, { redirect: "manual" });
  if (status !== 302) throw new Error(`the link answered ${status}`);
  return new URL(headers.get("location") ?? "");
}

/** Exchanges the code in a page's address for the session. */
export async function exchangeCode(signIn: Pick<SignIn, "url">, page: URL): Promise<Answer> {
  const token = new URLSearchParams(page.hash.slice(1)).get("sign-in-code");
  return ask(signIn, "/one-time-token/verify", { body: { token } });
}

let people = 0;

/** A new person who has signed up, confirmed their address and is signed in. */
export async function newPerson(
  signIn: SignIn,
): Promise<{ readonly email: string; readonly session: string; readonly id: string }> {
  people += 1;
  const email = `person-${people}@example.com`;
  await ask(signIn, "/sign-up/email", { body: { name: `Person ${people}`, email, password } });
  const page = await follow(linkTo(signIn, email));
  const answer = await exchangeCode(signIn, page);
  await forgetTries(signIn);
  return { email, session: sessionOf(answer), id: answer.body.user.id };
}

/** A token for the API. */
export async function tokenFor(signIn: SignIn, session: string): Promise<string> {
  const { body } = await ask(signIn, "/token", { session });
  return body.token;
}

/** Tests come from one address: without this they would meet the limits of others. */
export async function forgetTries({ sql }: SignIn): Promise<void> {
  await sql("delete from identity.rate_limits");
}

/** Asks the API with a token. */
export async function askApi(
  { api }: SignIn,
  path: string,
  token: string,
  init: RequestInit = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api.url}${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${token}`, ...init.headers },
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

function identityUrl(ownerUrl: string): string {
  const url = new URL(ownerUrl);
  url.username = "identity_service";
  url.password = identityPassword;
  return url.href;
}
