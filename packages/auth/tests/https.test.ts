import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ask,
  exchangeCode,
  follow,
  linkTo,
  pageOrigin,
  password,
  type SignIn,
  sessionOf,
  startSignIn,
} from "./support.ts";

// The service behind a proxy that ends TLS: what people's browsers reach is https.

const publicOrigin = "https://api.example.com";
let signIn: SignIn;
let service: { readonly url: string };

beforeAll(async () => {
  signIn = await startSignIn({
    AUTH_URL: `${publicOrigin}/auth`,
    AUTH_ORIGINS: pageOrigin,
  });
  service = { url: `http://127.0.0.1:${signIn.settings.port}/auth` };
});

afterAll(() => signIn.stop());

test("a person signs up, follows the link, and signs in behind https", async () => {
  const email = "https@example.com";
  const account = { name: "Ada", email, password, callbackURL: `${pageOrigin}/app` };
  await ask(service, "/sign-up/email", { body: account });
  const link = linkTo(signIn, email);
  expect(link.startsWith(`${publicOrigin}/auth/`)).toBe(true);
  const page = await follow(link.replace(`${publicOrigin}/auth`, service.url));
  const linked = sessionOf(await exchangeCode(service, page));
  const typed = sessionOf(await ask(service, "/sign-in/email", { body: { email, password } }));
  for (const session of [linked, typed]) {
    expect((await ask(service, "/token", { session })).status).toBe(200);
  }
});
