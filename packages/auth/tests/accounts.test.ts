import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  ask,
  askApi,
  follow,
  forgetTries,
  linkTo,
  newPerson,
  pageOrigin,
  password,
  type SignIn,
  sessionOf,
  startSignIn,
  tokenFor,
} from "./support.ts";

let signIn: SignIn;

beforeAll(async () => {
  signIn = await startSignIn();
});

beforeEach(() => forgetTries(signIn));

afterAll(() => signIn.stop());

const newPassword = "another horse battery";

async function signInWith(email: string, with_: string) {
  return ask(signIn, "/sign-in/email", { body: { email, password: with_ } });
}

test("a forgotten password is reset by a link, once, which ends every session", async () => {
  const { email, session } = await newPerson(signIn);
  const redirectTo = `${pageOrigin}/reset`;
  await ask(signIn, "/request-password-reset", { body: { email, redirectTo } });
  const page = await follow(linkTo(signIn, email));
  expect(page.origin + page.pathname).toBe(redirectTo);
  const body = { token: page.searchParams.get("token"), newPassword };

  expect((await ask(signIn, "/reset-password", { body })).status).toBe(200);
  expect(await ask(signIn, "/reset-password", { body })).toMatchObject({
    status: 400,
    body: { code: "INVALID_TOKEN" },
  });
  expect((await ask(signIn, "/token", { session })).status).toBe(401);
  expect((await signInWith(email, password)).status).toBe(401);
  expect((await signInWith(email, newPassword)).status).toBe(200);
});

test("a link that is too old resets nothing", async () => {
  const { email } = await newPerson(signIn);
  await ask(signIn, "/request-password-reset", {
    body: { email, redirectTo: `${pageOrigin}/reset` },
  });
  const page = await follow(linkTo(signIn, email));
  await signIn.sql("update identity.verifications set expires_at = now() - interval '1 second'");
  const body = { token: page.searchParams.get("token"), newPassword };
  expect((await ask(signIn, "/reset-password", { body })).status).toBe(400);
  expect((await signInWith(email, password)).status).toBe(200);
});

test("a password is changed by who knows it, and the other sessions end", async () => {
  const { email, session } = await newPerson(signIn);
  const other = sessionOf(await signInWith(email, password));
  const change = (currentPassword: string) =>
    ask(signIn, "/change-password", {
      session,
      body: { currentPassword, newPassword, revokeOtherSessions: true },
    });
  expect(await change("wrong password")).toMatchObject({
    status: 400,
    body: { code: "INVALID_PASSWORD" },
  });
  const changed = await change(password);
  expect(changed.status).toBe(200);
  expect((await ask(signIn, "/token", { session: other })).status).toBe(401);
  expect((await ask(signIn, "/token", { session: sessionOf(changed) })).status).toBe(200);
  expect((await signInWith(email, newPassword)).status).toBe(200);
});

test("an address changes when the old and the new one confirm, also for the API", async () => {
  const { email, session, id } = await newPerson(signIn);
  const newEmail = "moved@example.com";
  const callbackURL = `${pageOrigin}/`;
  await ask(signIn, "/change-email", { session, body: { newEmail, callbackURL } });
  const addresses = async () => [
    ...(await signIn.sql("select email from identity.users where id = $1", [id])),
    ...(await signIn.sql("select email from api.users where id = $1", [id])),
  ];
  await follow(linkTo(signIn, email));
  expect(await addresses()).toEqual([{ email }, { email }]);
  await follow(linkTo(signIn, newEmail));
  expect(await addresses()).toEqual([{ email: newEmail }, { email: newEmail }]);
});

test("sessions are listed and ended one by one, and all but this", async () => {
  const { email, session } = await newPerson(signIn);
  const phone = sessionOf(await signInWith(email, password));
  const laptop = sessionOf(await signInWith(email, password));
  const listed = await ask(signIn, "/list-sessions", { session });
  expect(listed.body).toHaveLength(3);

  const token = phone.split(".")[0];
  expect((await ask(signIn, "/revoke-session", { session, body: { token } })).status).toBe(200);
  expect((await ask(signIn, "/token", { session: phone })).status).toBe(401);
  expect((await ask(signIn, "/token", { session: laptop })).status).toBe(200);

  expect((await ask(signIn, "/revoke-other-sessions", { session, body: {} })).status).toBe(200);
  expect((await ask(signIn, "/token", { session: laptop })).status).toBe(401);
  expect((await ask(signIn, "/token", { session })).status).toBe(200);
});

test("nobody ends the session of another", async () => {
  const { session } = await newPerson(signIn);
  const other = await newPerson(signIn);
  const token = other.session.split(".")[0];
  await ask(signIn, "/revoke-session", { session, body: { token } });
  expect((await ask(signIn, "/token", { session: other.session })).status).toBe(200);
});

test("sign-out everywhere ends every session", async () => {
  const { email, session } = await newPerson(signIn);
  const phone = sessionOf(await signInWith(email, password));
  expect((await ask(signIn, "/revoke-sessions", { session, body: {} })).status).toBe(200);
  for (const ended of [session, phone]) {
    expect((await ask(signIn, "/token", { session: ended })).status).toBe(401);
  }
});

async function personWithTask() {
  const person = await newPerson(signIn);
  await askApi(signIn, "/tasks", await tokenFor(signIn, person.session), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"title":"Say hello"}',
  });
  await signIn.sql(
    "insert into identity.passkeys (user_id, credential_id, public_key) values ($1, $2, '')",
    [person.id, person.id],
  );
  return person;
}

const rowsOf = async (id: string) =>
  signIn.sql(
    `select
       (select count(*)::integer from identity.users where id = $1) as accounts,
       (select count(*)::integer from identity.sessions where user_id = $1) as sessions,
       (select count(*)::integer from identity.accounts where user_id = $1) as passwords,
       (select count(*)::integer from identity.passkeys where user_id = $1) as passkeys,
       (select count(*)::integer from api.users where id = $1) as users,
       (select count(*)::integer from api.tasks where user_id = $1) as tasks`,
    [id],
  );

const everything = { accounts: 1, sessions: 1, passwords: 1, passkeys: 1, users: 1, tasks: 1 };
const nothing = { accounts: 0, sessions: 0, passwords: 0, passkeys: 0, users: 0, tasks: 0 };

test("who deletes their account leaves nothing, and takes nothing of another along", async () => {
  const leaver = await personWithTask();
  const stayer = await personWithTask();
  expect(await rowsOf(leaver.id)).toEqual([everything]);
  const wrong = { session: leaver.session, body: { password: "wrong password" } };
  expect((await ask(signIn, "/delete-user", wrong)).status).toBe(400);
  expect(await rowsOf(leaver.id)).toEqual([everything]);

  const right = { session: leaver.session, body: { password } };
  expect((await ask(signIn, "/delete-user", right)).status).toBe(200);
  expect(await rowsOf(leaver.id)).toEqual([nothing]);
  expect(await rowsOf(stayer.id)).toEqual([everything]);
});

test("where the rows cannot be deleted, the account stays as it was", async () => {
  const { id, session } = await personWithTask();
  await signIn.sql(`
    create function public.refuse() returns trigger language plpgsql
    as $$ begin raise exception 'refused'; end $$;
    create trigger refuse before delete on api.tasks for each row execute function public.refuse();
  `);
  try {
    const { status, body } = await ask(signIn, "/delete-user", { session, body: { password } });
    expect(status).toBeGreaterThanOrEqual(500);
    expect(JSON.stringify(body)).not.toContain("refused");
    expect(await rowsOf(id)).toEqual([everything]);
  } finally {
    await signIn.sql("drop trigger refuse on api.tasks; drop function public.refuse()");
  }
});

/** The code of an authenticator app at a time: RFC 6238 with 6 digits and 30 seconds. */
function totp(secret: string, at = Date.now()): string {
  const key = Buffer.from(
    [...secret]
      .map((char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0"))
      .join("")
      .match(/.{8}/g)
      ?.map((bits) => Number.parseInt(bits, 2)) ?? [],
  );
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  const number = hash.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

test("with a second factor the password alone begins no session", async () => {
  const { email, session } = await newPerson(signIn);
  const enabled = await ask(signIn, "/two-factor/enable", { session, body: { password } });
  const secret = new URL(enabled.body.totpURI).searchParams.get("secret") ?? "";
  const confirmed = await ask(signIn, "/two-factor/verify-totp", {
    session,
    body: { code: totp(secret) },
  });
  expect(confirmed.status).toBe(200);

  const first = await signInWith(email, password);
  expect(first.body).toMatchObject({ twoFactorRedirect: true });
  expect(first.headers.get("set-auth-token")).toBeNull();
  const state = first.headers.get("set-auth-state") ?? "";

  const verify = (code: string, headers: Record<string, string>) =>
    ask(signIn, "/two-factor/verify-totp", { body: { code }, headers });
  expect((await verify(totp(secret), {})).status).toBe(401);
  expect((await verify("000000", { "auth-state": state })).status).toBe(401);
  const second = await verify(totp(secret, Date.now() + 30_000), { "auth-state": state });
  expect(second.status).toBe(200);
  expect((await ask(signIn, "/token", { session: sessionOf(second) })).status).toBe(200);
});
