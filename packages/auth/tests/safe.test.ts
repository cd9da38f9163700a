import { createHmac } from "node:crypto";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type Answer,
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
  startSignIn,
  tokenFor,
} from "./support.ts";

let signIn: SignIn;

beforeAll(async () => {
  signIn = await startSignIn();
});

beforeEach(() => forgetTries(signIn));

afterAll(() => signIn.stop());

/** What an answer shows, whatever it is about: without ids, times and addresses. */
function shape({ status, headers, body }: Answer): unknown {
  const names = [...headers.keys()].filter((name) => name !== "content-length");
  const parts = JSON.stringify(body).replaceAll(
    /"[^"]*(@example\.com|\d{4}-\d\d-\d\dT[^"]*|[0-9a-f]{8}-[0-9a-f-]{27})"/g,
    '"…"',
  );
  return { status, names, parts };
}

test.each([
  ["sign-up", "/sign-up/email", { name: "Somebody", password }],
  ["sign-in with a wrong password", "/sign-in/email", { password: "wrong password" }],
  ["a reset", "/request-password-reset", { redirectTo: `${pageOrigin}/reset` }],
  ["a magic link", "/sign-in/magic-link", {}],
  ["another confirmation", "/send-verification-email", {}],
])("%s answers alike for known and unknown addresses", async (_, path, body) => {
  const { email } = await newPerson(signIn);
  const unknown = `nobody${path.replaceAll("/", "-")}@example.com`;
  const known = await ask(signIn, path, { body: { ...body, email } });
  const other = await ask(signIn, path, { body: { ...body, email: unknown } });
  expect(shape(known)).toEqual(shape(other));
});

test("whoever signs up with a known address changes nothing, and its owner gets a message", async () => {
  const { email } = await newPerson(signIn);
  await ask(signIn, "/sign-up/email", {
    body: { name: "Mallory", email, password: "mallory's own" },
  });
  expect(signIn.mails.findLast(({ to }) => to === email)?.subject).toBe(
    "You have an account already",
  );
  const body = { email, password: "mallory's own" };
  expect((await ask(signIn, "/sign-in/email", { body })).status).toBe(401);
});

test("tries on one account are limited, wherever they seem to come from", async () => {
  const { email } = await newPerson(signIn);
  const statuses: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    const answer = await ask(signIn, "/sign-in/email", {
      body: { email, password: `guess number ${i}` },
      headers: { "X-Forwarded-For": `203.0.113.${i}` },
    });
    statuses.push(answer.status);
    if (answer.status === 429) {
      expect(answer.body).toMatchObject({ code: "TOO_MANY_ATTEMPTS" });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(60);
    }
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
});

test("the right password clears the count of an account", async () => {
  const { email } = await newPerson(signIn);
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 6; i += 1) {
      await ask(signIn, "/sign-in/email", { body: { email, password: `guess number ${i}` } });
    }
    expect((await ask(signIn, "/sign-in/email", { body: { email, password } })).status).toBe(200);
  }
});

test("calls of one address are limited, whatever it writes into X-Forwarded-For", async () => {
  const statuses = new Set<number>();
  let wait: string | null = null;
  for (let i = 0; i < 12; i += 1) {
    const { status, headers } = await ask(signIn, "/request-password-reset", {
      body: { email: `person${i}@example.com`, redirectTo: `${pageOrigin}/reset` },
      headers: { "X-Forwarded-For": `203.0.113.${i}`, "x-rowhouse-client-address": `1.2.3.${i}` },
    });
    statuses.add(status);
    wait = headers.get("retry-after");
  }
  expect([...statuses]).toEqual([200, 429]);
  expect(Number(wait)).toBeGreaterThan(0);
});

test("a session that cannot be looked up is not over: the service is unavailable", async () => {
  const { session } = await newPerson(signIn);
  await signIn.sql("revoke select on identity.users from identity_service");
  try {
    expect(await ask(signIn, "/token", { session })).toMatchObject({
      status: 503,
      body: { code: "UNAVAILABLE" },
    });
  } finally {
    await signIn.sql("grant select on identity.users to identity_service");
  }
  expect((await ask(signIn, "/token", { session })).status).toBe(200);
});

test("a proxy of ours names the client, and a client cannot name itself", async () => {
  const behind = await startSignIn({ AUTH_PROXIES: "127.0.0.1, 10.0.0.0/8" });
  try {
    const statusFor = async (forwarded: string) =>
      (
        await ask(behind, "/request-password-reset", {
          body: { email: `${forwarded.length}@example.com`, redirectTo: `${pageOrigin}/reset` },
          headers: { "X-Forwarded-For": forwarded },
        })
      ).status;
    for (let i = 0; i < 10; i += 1) {
      expect(await statusFor(`${"9".repeat(i)}, 203.0.113.7, 10.1.2.3`)).toBe(200);
    }
    expect(await statusFor("1.1.1.1, 203.0.113.7")).toBe(429);
    expect(await statusFor("203.0.113.8")).toBe(200);
    // A client in the network of the proxies, too.
    for (let i = 0; i < 10; i += 1) {
      expect(await statusFor(`10.9.9.9${", 10.9.9.9".repeat(i)}, 10.0.0.99`)).toBe(200);
    }
    expect(await statusFor("10.0.0.99")).toBe(429);
    expect(await statusFor("10.0.0.98")).toBe(200);
  } finally {
    await behind.stop();
  }
});

test("a cookie authenticates nothing, so no foreign page can use one", async () => {
  const { session } = await newPerson(signIn);
  const cookie = `better-auth.session_token=${encodeURIComponent(session)}`;
  const { body } = await ask(signIn, "/get-session", { headers: { Cookie: cookie } });
  expect(body).toBeNull();
  const changed = await ask(signIn, "/change-password", {
    body: { currentPassword: password, newPassword: "mallory's own" },
    headers: { Cookie: cookie },
  });
  expect(changed.status).toBe(401);
  const state = await ask(signIn, "/get-session", { headers: { "auth-state": cookie } });
  expect(state.body).toBeNull();
});

test("no answer sets a cookie", async () => {
  const { email } = await newPerson(signIn);
  const answer = await ask(signIn, "/sign-in/email", { body: { email, password } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("set-cookie")).toBeNull();
  const link = await ask(signIn, "/sign-in/magic-link", { body: { email } });
  expect(link.status).toBe(200);
  const followed = await fetch(linkTo(signIn, email), { redirect: "manual" });
  expect(followed.headers.get("set-cookie")).toBeNull();
});

test("pages of other origins may not call the service", async () => {
  const { session } = await newPerson(signIn);
  for (const origin of ["https://evil.example", "null", "http://localhost.evil.example:5173"]) {
    const { status, headers } = await ask(signIn, "/get-session", {
      session,
      headers: { Origin: origin },
    });
    expect(status).toBe(403);
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("a preflight names what a page may send, without credentials", async () => {
  const response = await fetch(`${signIn.url}/sign-in/email`, {
    method: "OPTIONS",
    headers: { Origin: pageOrigin, "Access-Control-Request-Method": "POST" },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get("access-control-allow-origin")).toBe(pageOrigin);
  expect(response.headers.get("access-control-allow-headers")).toContain("authorization");
  expect(response.headers.get("access-control-allow-credentials")).toBeNull();
});

test.each([
  ["another site", "https://evil.example/"],
  ["another site without a scheme", "//evil.example/"],
  ["another site behind a backslash", "/\\evil.example"],
  ["a script", "javascript:alert(1)"],
  ["a lookalike of this machine", "http://localhost.evil.example:5173/"],
  ["a name before @", "http://localhost:5173@evil.example/"],
])("no link leads to %s", async (_, callbackURL) => {
  const body = { name: "Eve", email: "eve@example.com", password, callbackURL };
  expect((await ask(signIn, "/sign-up/email", { body })).status).toBe(403);
  const email = "eve@example.com";
  expect((await ask(signIn, "/sign-in/magic-link", { body: { email, callbackURL } })).status).toBe(
    403,
  );
  const redirectTo = callbackURL;
  expect(
    (await ask(signIn, "/request-password-reset", { body: { email, redirectTo } })).status,
  ).toBe(403);
  // A link that was mailed for our page, and changed by hand.
  await ask(signIn, "/sign-up/email", { body: { ...body, callbackURL: `${pageOrigin}/` } });
  const link = new URL(linkTo(signIn, email));
  link.searchParams.set("callbackURL", callbackURL);
  expect((await fetch(link, { redirect: "manual" })).status).toBe(403);
});

test("nobody confirms their own address, or names their role or id", async () => {
  const claims = {
    emailVerified: true,
    email_verified: true,
    role: "postgres",
    id: "00000000-0000-4000-8000-000000000000",
    twoFactorEnabled: true,
  };
  const email = "claims@example.com";
  await ask(signIn, "/sign-up/email", { body: { name: "Mallory", email, password, ...claims } });
  const rows = await signIn.sql(
    "select email_verified, two_factor_enabled, id <> $2 as id_is_ours from identity.users where email = $1",
    [email, claims.id],
  );
  expect(rows).toEqual([{ email_verified: false, two_factor_enabled: false, id_is_ours: true }]);
});

test("an update of the account changes neither role, address nor its confirmation", async () => {
  const { email, session, id } = await newPerson(signIn);
  for (const body of [
    { emailVerified: false },
    { role: "postgres" },
    { email: "other@example.com" },
    { twoFactorEnabled: true },
  ]) {
    await ask(signIn, "/update-user", { session, body: { name: "New name", ...body } });
  }
  expect(
    await signIn.sql(
      "select email, email_verified, two_factor_enabled from identity.users where id = $1",
      [id],
    ),
  ).toEqual([{ email, email_verified: true, two_factor_enabled: false }]);
  expect(claimsOf(await tokenFor(signIn, session))).toMatchObject({ role: "authenticated", email });
});

test("a session cannot be chosen beforehand", async () => {
  const { email, session } = await newPerson(signIn);
  const answer = await ask(signIn, "/sign-in/email", { session, body: { email, password } });
  expect(answer.headers.get("set-auth-token")).not.toBe(session);
});

test.each([
  ["without a signature", (session: string) => session.split(".")[0] ?? ""],
  ["with a signature of another secret", (session: string) => forge(session, "another secret")],
  ["with an empty signature", (session: string) => `${session.split(".")[0]}.`],
])("a session %s is none", async (_, change) => {
  const { session } = await newPerson(signIn);
  expect((await ask(signIn, "/token", { session: change(session) })).status).toBe(401);
  expect((await ask(signIn, "/token", { session })).status).toBe(200);
});

function forge(session: string, secret: string): string {
  const token = session.split(".")[0] ?? "";
  return `${token}.${createHmac("sha256", secret).update(token).digest("base64")}`;
}

test("the database does not hold what signs in", async () => {
  const { session, email } = await newPerson(signIn);
  await ask(signIn, "/request-password-reset", {
    body: { email, redirectTo: `${pageOrigin}/reset` },
  });
  await ask(signIn, "/sign-in/magic-link", { body: { email } });
  const secrets = [
    session,
    linkTo(
      { ...signIn, mails: signIn.mails.filter(({ subject }) => /password/.test(subject)) },
      email,
    )
      .split("/reset-password/")[1]
      ?.split("?")[0] ?? "none",
    new URL(linkTo(signIn, email)).searchParams.get("token") ?? "none",
    password,
  ];
  const [row] = await signIn.sql<{ all: string }>(
    `select concat(
       (select json_agg(sessions) from identity.sessions),
       (select json_agg(verifications) from identity.verifications),
       (select json_agg(accounts) from identity.accounts),
       (select json_agg(signing_keys) from identity.signing_keys)
     ) as all`,
  );
  expect(secrets).not.toContain("none");
  for (const secret of secrets) expect(row?.all).not.toContain(secret);
  expect(row?.all).not.toContain('\\"d\\":'); // The private part of a JWK.
});

test("the API refuses a token with another algorithm, key or issuer", async () => {
  const { session } = await newPerson(signIn);
  const token = await tokenFor(signIn, session);
  const [head = "", payload = "", signature = ""] = token.split(".");
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
  const { body: set } = await ask(signIn, "/jwks");
  // The public key taken for a shared secret: the confusion of RFC 8725, section 2.1.
  const confused = `${encode({ alg: "HS256", kid })}.${payload}`;
  const hmac = createHmac("sha256", JSON.stringify(set.keys[0]))
    .update(confused)
    .digest("base64url");
  const attempts = {
    none: `${encode({ alg: "none", kid })}.${payload}.`,
    confused: `${confused}.${hmac}`,
    "other claims": `${head}.${encode({ ...claimsOf(token), sub: crypto.randomUUID() })}.${signature}`,
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    expect([name, (await askApi(signIn, "/tasks", attempt)).status]).toEqual([name, 401]);
  }
  expect((await askApi(signIn, "/tasks", token)).status).toBe(200);
});

test("an address that is not confirmed is in no token", async () => {
  const { session, id } = await newPerson(signIn);
  await signIn.sql("update identity.users set email_verified = false where id = $1", [id]);
  expect(claimsOf(await tokenFor(signIn, session))).not.toHaveProperty("email");
});

test("a large body is refused, and the service goes on", async () => {
  const body = { email: "a@example.com", password: "x".repeat(100_000) };
  expect(await ask(signIn, "/sign-in/email", { body })).toMatchObject({
    status: 413,
    body: { code: "BODY_TOO_LARGE" },
  });
  expect((await ask(signIn, "/ready")).status).toBe(200);
});

test.each([
  ["no JSON", "{", "application/json"],
  ["an array", "[]", "application/json"],
  ["null", "null", "application/json"],
  ["an address that is a number", '{"email":1,"password":"x"}', "application/json"],
  ["NUL bytes", '{"email":"a\\u0000@example.com","password":"x"}', "application/json"],
  ["another type", "email=a", "text/plain"],
])("%s is a clear refusal", async (_, body, type) => {
  const response = await fetch(`${signIn.url}/sign-in/email`, {
    method: "POST",
    body,
    headers: { "Content-Type": type },
  });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(response.headers.get("content-type")).toContain("application/json");
});

test("a path outside is refused, however it is written", async () => {
  for (const path of ["/", "/authentic", "/auth/../secret", "/%2e%2e/auth"]) {
    const status = await new Promise<number | undefined>((resolve) => {
      request({ port: signIn.settings.port, host: "127.0.0.1", path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect([path, status]).toEqual([path, 404]);
  }
});

test("a link that was changed confirms nothing", async () => {
  const email = "changed@example.com";
  await ask(signIn, "/sign-up/email", { body: { name: "Eve", email, password } });
  const link = new URL(linkTo(signIn, email));
  const token = link.searchParams.get("token") ?? "";
  const [head, payload, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
  const other = Buffer.from(JSON.stringify({ ...claims, email: "alice@example.com" }));
  link.searchParams.set("token", `${head}.${other.toString("base64url")}.${signature}`);
  const page = await follow(link.href);
  expect(page.searchParams.get("error")).toBe("INVALID_TOKEN");
  expect((await exchangeCode(signIn, page)).status).toBe(400);
});

test("an answer is the same when no mail can leave", async () => {
  const email = "no-mail@example.com";
  await ask(signIn, "/sign-up/email", { body: { name: "Eve", email, password } });
  signIn.breakMail();
  const body = { email, callbackURL: `${pageOrigin}/` };
  for (const [path, more] of [
    ["/send-verification-email", {}],
    ["/request-password-reset", { redirectTo: `${pageOrigin}/reset` }],
    ["/sign-in/magic-link", {}],
  ] as const) {
    const known = await ask(signIn, path, { body: { ...body, ...more } });
    const unknown = await ask(signIn, path, {
      body: { ...body, ...more, email: "no-one@example.com" },
    });
    expect([path, shape(known)]).toEqual([path, shape(unknown)]);
    expect(known.status).toBe(200);
  }
});
