import { freePort } from "rowhouse/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBrowser, type Page } from "./browser.ts";
import { client, type OpenIdProvider, startProvider } from "./provider.ts";
import {
  ask,
  claimsOf,
  exchangeCode,
  newPerson,
  pageOrigin,
  type SignIn,
  sessionOf,
  startSignIn,
  tokenFor,
} from "./support.ts";

let provider: OpenIdProvider;
let signIn: SignIn;

beforeAll(async () => {
  const port = await freePort();
  provider = await startProvider([`http://127.0.0.1:${port}/auth/callback/local`]);
  const settings = {
    id: "local",
    issuer: provider.issuer,
    clientId: client.id,
    clientSecret: client.secret,
  };
  signIn = await startSignIn({
    AUTH_PORT: String(port),
    AUTH_PROVIDERS: JSON.stringify([settings]),
  });
});

afterAll(async () => {
  await signIn.stop();
  await provider.stop();
});

/** Signs in at the provider, and returns the page of the app that the browser ends on. */
async function signInAtProvider(name: string, callbackURL = `${pageOrigin}/app`): Promise<Page> {
  const browser = createBrowser([provider.issuer, new URL(signIn.url).origin]);
  const query = new URLSearchParams({ provider: "local", callbackURL });
  const form = await browser.open(`${signIn.url}/sign-in/redirect?${query}`);
  if (form.status !== 200) return form;
  const consent = await browser.submit(form, { login: name, password: "any" });
  return browser.submit(consent, {});
}

test("a person signs in at a provider, and is the same person the next time", async () => {
  provider.people.set("ada", { email: "ada@example.com", email_verified: true, name: "Ada" });
  const page = await signInAtProvider("ada");
  expect(page.url.origin + page.url.pathname).toBe(`${pageOrigin}/app`);
  const first = claimsOf(await tokenFor(signIn, sessionOf(await exchangeCode(signIn, page.url))));
  expect(first).toMatchObject({ email: "ada@example.com", role: "authenticated" });

  const again = await exchangeCode(signIn, (await signInAtProvider("ada")).url);
  expect(claimsOf(await tokenFor(signIn, sessionOf(again))).sub).toBe(first.sub);
});

test("an address that the provider has not confirmed is in no token", async () => {
  provider.people.set("bob", { email: "bob@example.com", email_verified: false, name: "Bob" });
  const { url } = await signInAtProvider("bob");
  const session = sessionOf(await exchangeCode(signIn, url));
  expect(claimsOf(await tokenFor(signIn, session))).not.toHaveProperty("email");
});

test("whoever names the address of another at a provider does not become them", async () => {
  const { email, id } = await newPerson(signIn);
  provider.people.set("mallory", { email, email_verified: false, name: "Mallory" });
  const { url } = await signInAtProvider("mallory");
  expect(url.searchParams.get("error")).toBe("account_not_linked");
  expect(url.hash).toBe("");
  expect(
    await signIn.sql("select provider_id from identity.accounts where user_id = $1", [id]),
  ).toEqual([{ provider_id: "credential" }]);
});

test("the tokens of the provider are kept encrypted", async () => {
  const rows = await signIn.sql<{ access_token: string }>(
    "select access_token from identity.accounts where provider_id = 'local'",
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { access_token } of rows) expect(access_token).toMatch(/^\$ba\$\d+\$[0-9a-f]+$/);
});

test("a return that this browser has not begun signs nobody in", async () => {
  const browser = createBrowser([provider.issuer, new URL(signIn.url).origin]);
  const query = new URLSearchParams({ provider: "local", callbackURL: `${pageOrigin}/app` });
  const form = await browser.open(`${signIn.url}/sign-in/redirect?${query}`);
  const stopped = createBrowser([provider.issuer]);
  const begun = await fetch(`${signIn.url}/sign-in/redirect?${query}`, { redirect: "manual" });
  const other = await stopped.open(begun.headers.get("location") ?? "");
  const consent = await stopped.submit(other, { login: "ada", password: "any" });
  const { url } = await stopped.submit(consent, {});
  expect(url.pathname).toBe("/auth/callback/local");
  // A foreign browser is led to it, with the code and state of the attacker.
  const victim = await browser.open(url.href);
  expect(form.status).toBe(200);
  expect(victim.url.hash).toBe("");
  expect(victim.url.searchParams.get("error")).toBeTruthy();
});

test.each([
  ["another site", "https://evil.example/"],
  ["another site without a scheme", "//evil.example/"],
])("no sign-in at a provider ends on %s", async (_, callbackURL) => {
  expect(await signInAtProvider("ada", callbackURL)).toMatchObject({ status: 403 });
});

test("a provider that is not set is refused", async () => {
  const { status, body } = await ask(signIn, "/sign-in/redirect?provider=other");
  expect(status).toBe(404);
  expect(body).toMatchObject({ code: "PROVIDER_NOT_FOUND" });
});
