import { createHmac } from "node:crypto";
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import {
  type ApiError,
  AuthError,
  type AuthOptions,
  type AuthSession,
  type AuthStorage,
  createRowhouse,
  DeadlineError,
  SignedOutError,
  TooManyAttemptsError,
  UnavailableError,
} from "../../../client/index.ts";
import { failure } from "./session.ts";
import { follow, type SignInService, startSignInService } from "./sign-in-service.ts";
import { answer, cut, hold, startProxy } from "./support.ts";

// The sign-in service and PostgREST are real; the proxy counts what is asked, and makes faults.

let service: SignInService;
beforeAll(async () => {
  service = await startSignInService();
});
beforeEach(() => service.sql("delete from identity.rate_limits"));
afterAll(() => service.stop());

const password = "correct horse battery";
const redirectTo = "http://localhost:5173/app";

/** A storage that two clients can share, as two tabs share localStorage. */
function createStorage(): AuthStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

function createClient(options: Partial<AuthOptions> = {}) {
  const auth = { url: service.url, retry: { baseMs: 1, minMs: 1 }, ...options };
  return createRowhouse({ url: service.api.url, auth });
}

let people = 0;

/** A person with a confirmed address, and a client that they are signed in with. */
async function newPerson(options: Partial<AuthOptions> = {}) {
  people += 1;
  const email = `person-${people}@example.com`;
  const db = createClient(options);
  await db.auth.signUp({ email, password, name: `Person ${people}` }, { redirectTo });
  await follow(await service.linkTo(email));
  await db.auth.signIn({ email, password });
  return { email, db };
}

/** How often the service was asked for a path so far. */
const asked = (path: string) =>
  service.proxy.requests.filter((request) => request.path === `/auth${path}`).length;

/** Puts the clock that tokens are timed by so far ahead, until the test ends. */
function moveClock(ms: number): void {
  vi.restoreAllMocks();
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + ms);
  onTestFinished(() => void vi.restoreAllMocks());
}

describe("A person", () => {
  test("signs up, confirms the address, signs in, works, and signs out", async () => {
    const db = createClient();
    const seen: (AuthSession | null)[] = [];
    db.auth.onChange((session) => seen.push(session));
    expect(db.auth.user).toBeNull();

    const email = "alice@example.com";
    await db.auth.signUp({ email, password, name: "Alice" }, { redirectTo });
    expect(await db.auth.session()).toBeNull();
    const early = await failure(db.auth.signIn({ email, password }));
    expect(early).toMatchObject({ name: "AuthError", code: "EMAIL_NOT_VERIFIED", status: 403 });

    const page = await follow(await service.linkTo(email));
    expect(page.origin + page.pathname).toBe(redirectTo);
    const result = await db.auth.signIn({ email, password });
    const user = { email, name: "Alice", emailVerified: true };
    expect(result).toMatchObject({ needsSecondFactor: false, session: { user } });
    expect(db.auth.user).toMatchObject(user);

    await db.tasks.create({ title: "Water the plants" });
    expect(await db.tasks.count()).toBe(1);
    expect((await db.me()).id).toBe(db.auth.user?.id);

    await db.auth.signOut();
    expect(db.auth.user).toBeNull();
    expect(await failure(db.tasks.list())).toMatchObject({ code: "signed_out", status: 0 });
    expect(seen).toEqual([{ user: expect.objectContaining(user) }, null]);
  });

  test("with a wrong password is refused, and the error holds no secret", async () => {
    const { email, db } = await newPerson();
    const wrong = "not the right one";
    const error = await failure(db.auth.signIn({ email, password: wrong }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ code: "INVALID_EMAIL_OR_PASSWORD", status: 401 });
    expect(JSON.stringify([error, error.message, error.stack, error.cause])).not.toContain(wrong);
    expect(db.auth.user?.email).toBe(email);
  });

  test("who tries too often learns how long to wait", async () => {
    const email = "often@example.com";
    const { auth } = createClient();
    const tries = Array.from({ length: 11 }, () => () => auth.signIn({ email, password }));
    let last: ApiError | undefined;
    for (const attempt of tries) last = await failure(attempt());
    expect(last).toBeInstanceOf(TooManyAttemptsError);
    const { retryAfter } = last as TooManyAttemptsError;
    expect(retryAfter).toBeGreaterThan(800);
    expect(retryAfter).toBeLessThanOrEqual(900);
    expect(last?.message).toContain(`${retryAfter} s`);
  });

  test("resets a forgotten password by a link, once", async () => {
    const { email, db } = await newPerson();
    await db.auth.requestReset(email, { redirectTo });
    const page = await follow(await service.linkTo(email));
    const reset = { token: page.searchParams.get("token") ?? "", newPassword: "another horse" };
    await db.auth.resetPassword(reset);
    expect(await failure(db.auth.resetPassword(reset))).toMatchObject({ code: "INVALID_TOKEN" });
    await db.auth.signIn({ email, password: reset.newPassword });
    expect(await db.tasks.count()).toBe(0);
  });

  test("changes password, name and address, and stays signed in", async () => {
    const { email, db } = await newPerson();
    const { auth } = db;
    const change = { currentPassword: password, newPassword: "another horse" };
    const wrong = { ...change, currentPassword: "wrong one" };
    expect(await failure(auth.changePassword(wrong))).toMatchObject({ code: "INVALID_PASSWORD" });
    await auth.changePassword(change);
    await auth.updateUser({ name: "Another" });
    expect(auth.user).toMatchObject({ email, name: "Another" });
    await auth.changeEmail("moved@example.com", { redirectTo });
    await follow(await service.linkTo(email));
    await follow(await service.linkTo("moved@example.com"));
    expect((await db.me()).email).toBe("moved@example.com");
  });

  test("lists sessions and ends them", async () => {
    const { email, db } = await newPerson();
    const phone = createClient();
    await phone.auth.signIn({ email, password });
    await phone.tasks.list();
    const sessions = await db.auth.listSessions();
    expect(sessions.filter(({ current }) => current)).toHaveLength(1);
    await db.auth.endOtherSessions();
    expect(await failure(phone.auth.listSessions())).toBeInstanceOf(SignedOutError);
    expect(phone.auth.user).toBeNull();

    await phone.auth.signIn({ email, password });
    const other = (await db.auth.listSessions()).find(({ current }) => !current);
    await db.auth.endSession(other?.id ?? "");
    expect(await failure(phone.auth.listSessions())).toBeInstanceOf(SignedOutError);

    await phone.auth.signIn({ email, password });
    await db.auth.signOutEverywhere();
    expect(db.auth.user).toBeNull();
    expect(await failure(phone.auth.listSessions())).toBeInstanceOf(SignedOutError);
  });

  test("deletes the account with the password, and is signed out", async () => {
    const { email, db } = await newPerson();
    await db.tasks.create({ title: "Bread" });
    expect(await failure(db.auth.deleteAccount("wrong one"))).toBeInstanceOf(AuthError);
    expect(db.auth.user?.email).toBe(email);
    await db.auth.deleteAccount(password);
    expect(db.auth.user).toBeNull();
    expect(await failure(db.auth.signIn({ email, password }))).toBeInstanceOf(AuthError);
  });

  test("with a second factor signs in by two steps, or by a backup code", async () => {
    const { email, db } = await newPerson();
    const { auth } = db;
    const { uri, backupCodes } = await auth.prepareSecondFactor(password);
    const secret = new URL(uri).searchParams.get("secret") ?? "";
    // A wrong code is answered 401, and ends no session.
    expect(await failure(auth.turnOnSecondFactor("000000"))).toBeInstanceOf(AuthError);
    expect(auth.user?.email).toBe(email);
    await auth.turnOnSecondFactor(totp(secret));
    expect(await db.tasks.count()).toBe(0);

    const other = createClient();
    expect(await other.auth.signIn({ email, password })).toEqual({
      session: null,
      needsSecondFactor: true,
    });
    expect(other.auth.user).toBeNull();
    expect(await failure(other.auth.confirmSecondFactor({ code: "000000" }))).toMatchObject({
      name: "AuthError",
      code: "INVALID_CODE",
    });
    await other.auth.confirmSecondFactor({ code: totp(secret, Date.now() + 30_000) });
    expect(await other.tasks.count()).toBe(0);

    const third = createClient();
    await third.auth.signIn({ email, password });
    await third.auth.confirmSecondFactor({ backupCode: backupCodes[0] ?? "" });
    await third.auth.turnOffSecondFactor(password);
    expect(await createClient().auth.signIn({ email, password })).toMatchObject({
      needsSecondFactor: false,
    });
  });

  test("goes to a provider by an address with the page to return to", () => {
    const { auth } = createClient();
    const url = new URL(auth.providerUrl("google", { redirectTo }));
    expect(url.origin + url.pathname).toBe(`${service.url}/sign-in/redirect`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      provider: "google",
      callbackURL: redirectTo,
    });
  });
});

/** The code of an authenticator app at a time: RFC 6238 with 6 digits and 30 seconds. */
function totp(secret: string, at = Date.now()): string {
  const bits = [...secret]
    .map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

describe("The token", () => {
  test("is got once for parallel calls, and kept", async () => {
    const { db } = await newPerson();
    const before = asked("/token");
    await Promise.all(Array.from({ length: 10 }, () => db.tasks.list()));
    await db.tasks.list();
    expect(asked("/token")).toBe(before + 1);
  });

  test("is renewed before its end, once for parallel calls that do not wait for it", async () => {
    const { db } = await newPerson();
    const first = await db.auth.tokens.get();
    const before = asked("/token");
    moveClock(4 * 60_000);
    expect(await Promise.all([db.auth.tokens.get(), db.auth.tokens.get()])).toEqual([first, first]);
    await expect.poll(() => db.auth.tokens.get()).not.toBe(first);
    expect(asked("/token")).toBe(before + 1);
  });

  test("is not sent when it is about to end", async () => {
    const { db } = await newPerson();
    const first = await db.auth.tokens.get();
    moveClock(5 * 60_000);
    expect(await db.auth.tokens.get()).not.toBe(first);
  });

  test.each([
    ["an hour ahead", 3_600_000],
    ["an hour behind", -3_600_000],
  ])("is got once where the clock is %s", async (_, ms) => {
    const { db } = await newPerson();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
    onTestFinished(() => void vi.useRealTimers());
    const before = asked("/token");
    for (const title of ["one", "two"]) await db.tasks.create({ title });
    expect(asked("/token")).toBe(before + 1);
  });

  test("that the API refuses is renewed", async () => {
    const { db } = await newPerson();
    const first = await db.auth.tokens.get();
    expect(await db.auth.tokens.renew(first)).not.toBe(first);
  });

  test("in hand outlives a service that is away; at its end the error says so, and nobody is signed out", async () => {
    const { db } = await newPerson();
    const first = await db.auth.tokens.get();
    moveClock(4 * 60_000);
    service.proxy.always(answer(503));
    onTestFinished(() => service.proxy.always(({ forward, response }) => pass(forward, response)));
    expect(await db.auth.tokens.get()).toBe(first);
    moveClock(10 * 60_000);
    const error = await failure(db.tasks.list());
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).not.toBeInstanceOf(SignedOutError);
    expect(db.auth.user).not.toBeNull();
  });

  test("of a lost answer is asked for again", async () => {
    const { db } = await newPerson();
    service.proxy.next(cut);
    expect(await db.tasks.count()).toBe(0);
  });
});

/** Passes on what no fault meets. */
async function pass(
  forward: () => Promise<{ status: number; headers: object; body: Buffer }>,
  response: { writeHead: (status: number, headers: never) => void; end: (body: Buffer) => void },
): Promise<void> {
  const { status, headers, body } = await forward();
  response.writeHead(status, headers as never);
  response.end(body);
}

describe("The session", () => {
  test("survives a reload, and is kept without the token for the API", async () => {
    const storage = createStorage();
    const { email, db } = await newPerson({ storage });
    const token = await db.auth.tokens.get();
    const again = createClient({ storage });
    expect(again.auth.user?.email).toBe(email);
    expect(await again.tasks.count()).toBe(0);
    expect([...storage.items.values()].join()).not.toContain(token);
  });

  test("may lie in a storage that takes its time", async () => {
    const { items, getItem, setItem, removeItem } = createStorage();
    const storage: AuthStorage = {
      getItem: async (key) => getItem(key),
      setItem: async (key, value) => setItem(key, value),
      removeItem: async (key) => removeItem(key),
    };
    const { email, db } = await newPerson({ storage });
    expect(items.size).toBe(1);
    const again = createClient({ storage });
    expect(again.auth.user).toBeUndefined();
    expect((await again.auth.session())?.user.email).toBe(email);
    await db.auth.signOut();
    expect(await again.auth.session()).toBeNull();
  });

  test("that one of two clients ends has ended for both, before the next request", async () => {
    const storage = createStorage();
    const { db } = await newPerson({ storage });
    const other = createClient({ storage });
    const seen: (AuthSession | null)[] = [];
    other.auth.onChange((session) => seen.push(session));
    await other.tasks.list();
    await db.auth.signOut();
    expect(await failure(other.tasks.list())).toMatchObject({ code: "signed_out" });
    expect(seen).toEqual([null]);
  });

  test("of another person takes the place of the first, whose calls never go out with its token", async () => {
    const storage = createStorage();
    const { db } = await newPerson({ storage });
    const first = await db.auth.tokens.get();
    const bob = await newPerson({ storage });
    expect(await failure(db.auth.tokens.get(first))).toMatchObject({ code: "signed_out" });
    expect((await db.me()).id).toBe(bob.db.auth.user?.id);
  });

  test("that the service refuses has ended", async () => {
    const { db } = await newPerson();
    const seen: (AuthSession | null)[] = [];
    db.auth.onChange((session) => seen.push(session));
    await service.sql(`delete from identity.sessions where user_id = '${db.auth.user?.id}'`);
    expect(await failure(db.tasks.list())).toBeInstanceOf(SignedOutError);
    expect(seen).toEqual([null]);
    const before = service.proxy.requests.length;
    expect(await failure(db.tasks.list())).toMatchObject({ code: "signed_out" });
    expect(service.proxy.requests.length).toBe(before);
  });

  test("ends here at once, also when the service cannot be told", async () => {
    const storage = createStorage();
    await newPerson({ storage });
    const db = createClient({ storage, timeout: 50 });
    service.proxy.next(hold);
    const signOut = db.auth.signOut();
    const error = await failure(signOut);
    expect(error).toBeInstanceOf(DeadlineError);
    expect(db.auth.user).toBeNull();
    expect(await failure(db.tasks.list())).toMatchObject({ code: "signed_out" });
  });

  test("keeps the user that a later call has brought, when a slow one ends", async () => {
    const { db } = await newPerson();
    service.proxy.next(async ({ forward, response }) => {
      await db.auth.updateUser({ name: "Alice Liddell" });
      await pass(forward, response);
    });
    await db.auth.listPasskeys();
    expect(db.auth.user).toMatchObject({ name: "Alice Liddell" });
  });

  test("ends while a token is being got: the call goes out with none", async () => {
    const { db } = await newPerson();
    let signedOut: Promise<void> | undefined;
    service.proxy.next(async ({ forward, response }) => {
      signedOut = db.auth.signOut();
      await pass(forward, response);
    });
    const sent = vi.fn();
    const { tasks } = createRowhouse({
      url: service.api.url,
      token: db.auth.tokens,
      onRequest: sent,
    });
    expect(await failure(tasks.list())).toMatchObject({ name: "SignedOutError" });
    await signedOut;
    expect(sent).not.toHaveBeenCalled();
  });

  test("that ends while a call waits for its next attempt is not used for that", async () => {
    const { db } = await newPerson();
    const api = await startProxy(service.api.url);
    onTestFinished(() => api.stop());
    const { tasks } = createRowhouse({
      url: api.url,
      token: db.auth.tokens,
      retry: { baseMs: 1, minMs: 1 },
    });
    api.next(async (exchange) => {
      await db.auth.signOut();
      await answer(503)(exchange);
    });
    expect(await failure(tasks.list())).toMatchObject({ code: "signed_out" });
    expect(api.requests).toHaveLength(1);
  });

  test("survives the service being killed and started again", async () => {
    const { email, db } = await newPerson({ url: service.ownUrl, retry: false });
    await service.kill();
    expect(await failure(db.tasks.list())).toMatchObject({
      name: "UnavailableError",
      code: "network",
    });
    expect(db.auth.user?.email).toBe(email);
    await service.start();
    expect(await db.tasks.count()).toBe(0);
  });
});
