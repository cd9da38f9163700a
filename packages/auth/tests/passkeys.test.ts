import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { passkeyDomain } from "../src/passkey-domain.ts";
import { type Authenticator, createAuthenticator, type Tampering } from "./authenticator.ts";
import {
  type Answer,
  ask,
  claimsOf,
  forgetTries,
  newPerson,
  pageOrigin,
  password,
  type SignIn,
  sessionOf,
  startSignIn,
  tokenFor,
} from "./support.ts";

let signIn: SignIn;
/** Somebody for the tests that change nothing of theirs. */
let honest: Awaited<ReturnType<typeof personWithPasskey>>;

beforeAll(async () => {
  signIn = await startSignIn();
  honest = await personWithPasskey();
});

beforeEach(() => forgetTries(signIn));

afterAll(() => signIn.stop());

/** A challenge of the service, with the state that its answer takes along. */
interface Challenge {
  readonly options: { readonly challenge: string };
  readonly headers: Record<string, string>;
}

const challengeOf = ({ body, headers }: Answer): Challenge => ({
  options: body,
  headers: { "auth-state": headers.get("set-auth-state") ?? "" },
});

const challengeToAdd = async (session: string) =>
  challengeOf(await ask(signIn, "/passkey/generate-register-options", { session }));

const challengeToSignIn = async () =>
  challengeOf(await ask(signIn, "/passkey/generate-authenticate-options"));

async function add(session: string, authenticator: Authenticator, tampering?: Tampering) {
  const { options, headers } = await challengeToAdd(session);
  const response = authenticator.create(options, tampering);
  const body = { response, name: "Laptop" };
  return ask(signIn, "/passkey/verify-registration", { session, headers, body });
}

const send = (response: object, headers: Record<string, string>) =>
  ask(signIn, "/passkey/verify-authentication", { headers, body: { response } });

async function signInWith(authenticator: Authenticator, tampering?: Tampering) {
  const { options, headers } = await challengeToSignIn();
  return send(authenticator.get(options, tampering), headers);
}

const list = async (session: string) =>
  (await ask(signIn, "/passkey/list-user-passkeys", { session })).body;

let uses = 1;
/** How often an authenticator has signed by now, of those that count. */
const nextCount = () => {
  uses += 1;
  return { counter: uses };
};

/** A person with a passkey that counts. */
async function personWithPasskey() {
  const person = await newPerson(signIn);
  const authenticator = createAuthenticator();
  expect(await add(person.session, authenticator, nextCount())).toMatchObject({ status: 200 });
  return { ...person, authenticator };
}

const refusedToAdd = { status: 400, body: { code: "PASSKEY_REFUSED" } };
const refusedToSignIn = { status: 401, body: { code: "PASSKEY_REFUSED" } };

test("a person adds a passkey, signs in with it, and removes it", async () => {
  const { id, session } = await newPerson(signIn);
  const authenticator = createAuthenticator();
  const added = await add(session, authenticator);
  const passkey = { id: expect.any(String), name: "Laptop", lastUsedAt: null };
  expect(added.body).toMatchObject(passkey);
  expect(await list(session)).toEqual([added.body]);

  const answer = await signInWith(authenticator);
  expect(answer.body).toMatchObject({ user: { id } });
  expect(claimsOf(await tokenFor(signIn, sessionOf(answer))).sub).toBe(id);
  expect(await list(session)).toEqual([{ ...added.body, lastUsedAt: expect.any(String) }]);

  const remove = { session, body: { id: added.body.id } };
  expect((await ask(signIn, "/passkey/delete-passkey", remove)).status).toBe(200);
  expect(await list(session)).toEqual([]);
  expect(await signInWith(authenticator)).toMatchObject(refusedToSignIn);
});

const dishonest: [string, Tampering][] = [
  ["a page of another origin", { origin: "https://localhost.evil.example" }],
  ["a page of another allowed origin", { origin: "http://localhost:5174" }],
  ["the passkey of another domain", { domain: "evil.example" }],
  ["an authenticator that has not verified the person", { verified: false }],
  ["a challenge of its own", { challenge: Buffer.from("mine").toString("base64url") }],
];

test.each(dishonest)("no passkey is added by %s", async (_, tampering) => {
  const { session } = honest;
  expect(await add(session, createAuthenticator(), tampering)).toMatchObject(refusedToAdd);
  expect(await list(session)).toHaveLength(1);
});

test.each([...dishonest, ["a copy that has signed less often", { counter: 1 }] as const])(
  "nobody is signed in by %s, and the answer is that for an unknown passkey",
  async (_, tampering) => {
    const { authenticator } = honest;
    const refused = await signInWith(authenticator, { ...nextCount(), ...tampering });
    expect(refused).toMatchObject(refusedToSignIn);
    expect(refused.headers.get("set-auth-token")).toBeNull();
    const unknown = await signInWith(createAuthenticator());
    expect([refused.status, refused.body]).toEqual([unknown.status, unknown.body]);
    expect((await signInWith(authenticator, nextCount())).status).toBe(200);
  },
);

test("nobody is signed in by another key under the same name", async () => {
  const { authenticator } = honest;
  expect(await signInWith(createAuthenticator(authenticator.id), nextCount())).toMatchObject(
    refusedToSignIn,
  );
});

test("an answer that is heard on its way works once", async () => {
  const { authenticator } = honest;
  const { options, headers } = await challengeToSignIn();
  const response = authenticator.get(options, nextCount());
  expect(await send(response, {})).toMatchObject(refusedToSignIn);
  expect((await send(response, headers)).status).toBe(200);
  expect(await send(response, headers)).toMatchObject(refusedToSignIn);
  const next = authenticator.get(options, nextCount());
  expect(await send(next, headers)).toMatchObject(refusedToSignIn);
});

test("of two answers at once with the same count one signs in", async () => {
  const { authenticator } = honest;
  const count = nextCount();
  const answers = await Promise.all([1, 2].map(() => signInWith(authenticator, count)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
});

test("a challenge counts for five minutes, and for what it was made for", async () => {
  const { session, authenticator } = honest;
  const other = await newPerson(signIn);
  const toAdd = await challengeToAdd(session);
  const response = authenticator.get(toAdd.options, nextCount());
  expect(await send(response, toAdd.headers)).toMatchObject(refusedToSignIn);
  for (const { options, headers } of [await challengeToSignIn(), await challengeToAdd(session)]) {
    const body = { response: createAuthenticator().create(options) };
    const added = { session: other.session, headers, body };
    expect(await ask(signIn, "/passkey/verify-registration", added)).toMatchObject(refusedToAdd);
  }

  const late = await challengeToSignIn();
  await signIn.sql("update identity.verifications set expires_at = now() - interval '1 second'");
  expect(await send(authenticator.get(late.options, nextCount()), late.headers)).toMatchObject(
    refusedToSignIn,
  );
});

test("nobody sees, removes or takes over the passkey of another", async () => {
  const owner = honest;
  const other = await newPerson(signIn);
  const [{ id }] = await list(owner.session);
  expect(await list(other.session)).toEqual([]);
  const remove = (session: string | undefined, which: string) =>
    ask(signIn, "/passkey/delete-passkey", { ...(session && { session }), body: { id: which } });
  const foreign = await remove(other.session, id);
  const unknown = await remove(other.session, crypto.randomUUID());
  expect(foreign).toMatchObject({ status: 404, body: { code: "PASSKEY_NOT_FOUND" } });
  expect([foreign.status, foreign.body]).toEqual([unknown.status, unknown.body]);
  expect((await remove(undefined, id)).status).toBe(401);

  const same = createAuthenticator(owner.authenticator.id);
  expect(await add(other.session, same)).toMatchObject(refusedToAdd);
  expect(await list(owner.session)).toMatchObject([{ id }]);
});

test("a session that is more than a day old adds none", async () => {
  const { id, session } = await newPerson(signIn);
  await signIn.sql(
    "update identity.sessions set created_at = created_at - interval '25 hours' where user_id = $1",
    [id],
  );
  expect(await ask(signIn, "/passkey/generate-register-options", { session })).toMatchObject({
    status: 403,
    body: { code: "SESSION_NOT_FRESH" },
  });
});

test("a passkey stands for the password and the second factor", async () => {
  const { id, session, authenticator } = await personWithPasskey();
  await ask(signIn, "/two-factor/enable", { session, body: { password } });
  await signIn.sql("update identity.users set two_factor_enabled = true where id = $1", [id]);
  const answer = await signInWith(authenticator, nextCount());
  expect((await ask(signIn, "/token", { session: sessionOf(answer) })).status).toBe(200);
});

test("a request that is no credential is refused, and no more", async () => {
  const { session } = honest;
  for (const response of [{}, { id: 7 }, { id: "a", response: "b" }, "a"]) {
    const { headers } = await challengeToSignIn();
    const answer = await ask(signIn, "/passkey/verify-authentication", {
      headers,
      body: { response },
    });
    expect([400, 401]).toContain(answer.status);
    const toAdd = await challengeToAdd(session);
    const body = { response };
    const added = { session, headers: toAdd.headers, body };
    expect((await ask(signIn, "/passkey/verify-registration", added)).status).toBe(400);
  }
});

test("challenges that nobody answered go with the next one", async () => {
  await challengeToSignIn();
  await signIn.sql("update identity.verifications set expires_at = now() - interval '1 second'");
  await challengeToSignIn();
  const [left] = await signIn.sql("select count(*)::int as count from identity.verifications");
  expect(left).toEqual({ count: 1 });
});

test("a page with an address of numbers learns that it has none", async () => {
  const answer = await ask(signIn, "/passkey/generate-authenticate-options", {
    headers: { Origin: "http://127.0.0.1:5173" },
  });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: "PASSKEY_DOMAIN_INVALID", message: expect.stringContaining("at localhost") },
  });
});

test.each([
  ["its own host", undefined, "https://app.example.com", "app.example.com"],
  ["the domain that is set", "example.com", "https://app.example.com", "example.com"],
  ["the domain itself", "example.com", "https://example.com", "example.com"],
])("passkeys of a page belong to %s", (_, passkeyDomainSet, origin, domain) => {
  const settings = { ...signIn.settings, passkeyDomain: passkeyDomainSet };
  expect(passkeyDomain(settings, origin)).toBe(domain);
});

test.each(["https://example.org", "https://badexample.com"])("none belong to %s", (origin) => {
  const settings = { ...signIn.settings, passkeyDomain: "example.com" };
  expect(() => passkeyDomain(settings, origin)).toThrow("not below example.com");
});

test("who has one gets no challenge that the same authenticator would answer again", async () => {
  const { session, authenticator } = honest;
  const { options } = await challengeToAdd(session);
  expect(options).toMatchObject({
    rp: { id: new URL(pageOrigin).hostname },
    excludeCredentials: [{ id: authenticator.id }],
    authenticatorSelection: { userVerification: "required", residentKey: "required" },
  });
});
