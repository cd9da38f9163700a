import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  ask,
  askApi,
  claimsOf,
  exchangeCode,
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

const alice = { name: "Alice", email: "Alice@example.com", password };

test("a person signs up, follows the mailed link to the page, and uses the API", async () => {
  const callbackURL = `${pageOrigin}/welcome`;
  const signedUp = await ask(signIn, "/sign-up/email", { body: { ...alice, callbackURL } });
  expect(signedUp).toMatchObject({ status: 200, body: { token: null } });
  expect(signedUp.headers.get("set-auth-token")).toBeNull();

  const page = await follow(linkTo(signIn, "alice@example.com"));
  expect(page.origin + page.pathname).toBe(callbackURL);
  const session = sessionOf(await exchangeCode(signIn, page));

  const token = await tokenFor(signIn, session);
  const { sub, email, role, aud, iss, exp, iat } = claimsOf(token);
  expect({ email, role, aud, iss }).toEqual({
    email: "alice@example.com",
    role: "authenticated",
    aud: "rowhouse",
    iss: "rowhouse",
  });
  expect(Number(exp) - Number(iat)).toBe(300);

  expect(await askApi(signIn, "/users?select=id,email,name", token)).toEqual({
    status: 200,
    body: [{ id: sub, email: "alice@example.com", name: "Alice" }],
  });
  const created = await askApi(signIn, "/tasks", token, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"title":"Say hello"}',
  });
  expect(created.status).toBe(201);
});

test("the link confirms once, and signs in once", async () => {
  await ask(signIn, "/sign-up/email", { body: { ...alice, email: "once@example.com" } });
  const link = linkTo(signIn, "once@example.com");
  const first = await follow(link);
  expect(first.hash).not.toBe("");
  expect((await follow(link)).hash).toBe("");

  expect((await exchangeCode(signIn, first)).status).toBe(200);
  expect((await exchangeCode(signIn, first)).status).toBe(400);
});

test("without a page of the app the link ends on one of the service", async () => {
  await ask(signIn, "/sign-up/email", { body: { ...alice, email: "page@example.com" } });
  const page = await follow(linkTo(signIn, "page@example.com"));
  expect(page.pathname).toBe("/auth/done");
  const { status, headers, body } = await ask(signIn, "/done");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(body).toContain("<h1>Done</h1>");
});

test("nobody signs in before the address is confirmed, and afterwards with the password alone", async () => {
  const body = { email: "bob@example.com", password };
  await ask(signIn, "/sign-up/email", { body: { ...body, name: "Bob" } });
  expect(await ask(signIn, "/sign-in/email", { body })).toMatchObject({
    status: 403,
    body: { code: "EMAIL_NOT_VERIFIED" },
  });
  await follow(linkTo(signIn, body.email));
  expect((await ask(signIn, "/sign-in/email", { body })).status).toBe(200);
  expect(
    await ask(signIn, "/sign-in/email", { body: { ...body, password: "wrong password" } }),
  ).toMatchObject({ status: 401, body: { code: "INVALID_EMAIL_OR_PASSWORD" } });
});

test("a magic link signs in once, and makes an account where there is none", async () => {
  const email = "magic@example.com";
  const callbackURL = `${pageOrigin}/app`;
  await ask(signIn, "/sign-in/magic-link", { body: { email, callbackURL } });
  const link = linkTo(signIn, email);
  const session = sessionOf(await exchangeCode(signIn, await follow(link)));
  expect(claimsOf(await tokenFor(signIn, session))).toMatchObject({ email });
  expect((await follow(link)).searchParams.get("error")).toBe("INVALID_TOKEN");
});

test.each([
  ["no address", { email: "nobody" }, 400, "VALIDATION_ERROR"],
  ["a short password", { password: "short" }, 400, "PASSWORD_TOO_SHORT"],
  ["a password that is longer than any", { password: "x".repeat(200) }, 400, "PASSWORD_TOO_LONG"],
  ["no name", { name: undefined }, 400, "VALIDATION_ERROR"],
])("sign-up refuses %s", async (_, fault, status, code) => {
  const body = { ...alice, email: "faulty@example.com", ...fault };
  expect(await ask(signIn, "/sign-up/email", { body })).toMatchObject({ status, body: { code } });
});

test("a session ends with the sign-out", async () => {
  const { session } = await newPerson(signIn);
  expect((await ask(signIn, "/token", { session })).status).toBe(200);
  expect((await ask(signIn, "/sign-out", { session, body: {} })).status).toBe(200);
  expect((await ask(signIn, "/token", { session })).status).toBe(401);
});
