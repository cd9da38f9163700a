import { createHmac, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, caller, claimsFor, secret, sign, signIn } from "../../src/testing/api.ts";
import { addTask, type Backend, everything, type Row, refusal, startBackend } from "./backend.ts";
import {
  earlyToken,
  expiredToken,
  futureToken,
  invalidClaim,
  invalidToken,
  unknownRole,
} from "./spellings.ts";

const id = randomUUID();
const title = "canary-title";
let api: Backend;
let alice: Caller;
beforeAll(async () => {
  api = await startBackend();
  alice = await signIn(api, id);
  await addTask(alice, { title });
});
afterAll(() => api.stop());

const claims = claimsFor(id);
const now = () => Math.floor(Date.now() / 1000);
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicText = publicKey.export({ type: "spki", format: "pem" }).toString();

/** The claims with one of them changed; undefined takes it out. */
function but(name: string, value?: unknown): Row {
  return Object.fromEntries(
    Object.entries({ ...claims, [name]: value }).filter(([, claim]) => claim !== undefined),
  );
}

/** A token put together by hand: a library would refuse to make most of these. */
function forge(header: Row, body: Row, signature: (text: string) => string): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode(header)}.${encode(body)}`;
  return `${text}.${signature(text)}`;
}

const hmac = (hash: string, key: string) => (text: string) =>
  createHmac(hash, key).update(text).digest("base64url");
const signed = (body: Row) => forge({ alg: "HS256" }, body, hmac("sha256", secret));
const rsa = (text: string) => createSign("sha256").update(text).sign(privateKey, "base64url");

/** What the pre-request check answers. */
const check = (details: string) => refusal(401, "PT401", { details, message: expect.any(String) });

const past = (seconds: number) => now() - seconds;
const faults: [string, Row, ReturnType<typeof refusal>][] = [
  ["no exp", but("exp"), check("token_exp_missing")],
  ["an exp of null", but("exp", null), check("token_exp_missing")],
  ["an exp that is a string", but("exp", String(now() + 600)), invalidClaim],
  ["an exp that is a list", but("exp", [now() + 600]), invalidClaim],
  ["an exp 40 s ago", but("exp", past(40)), expiredToken],
  ["an exp before 1970", but("exp", -1), expiredToken],
  ["an nbf 40 s ahead", but("nbf", past(-40)), earlyToken],
  ["an nbf that is a string", but("nbf", "soon"), invalidClaim],
  ["an iat 40 s ahead", but("iat", past(-40)), futureToken],
  ["an iat that is a string", but("iat", "now"), invalidClaim],
  ["no aud", but("aud"), check("token_aud_refused")],
  ["an aud of null", but("aud", null), check("token_aud_refused")],
  ["an empty aud", but("aud", ""), check("token_aud_refused")],
  ["another aud", but("aud", "other"), check("token_aud_refused")],
  ["an aud in other letters", but("aud", "Rowhouse"), check("token_aud_refused")],
  ["a list of other auds", but("aud", ["a", "b"]), check("token_aud_refused")],
  ["an empty list of auds", but("aud", []), invalidClaim],
  ["an aud that is a number", but("aud", 1), invalidClaim],
  ["an aud that is an object", but("aud", { rowhouse: 1 }), invalidClaim],
  ["no iss", but("iss"), check("token_iss_refused")],
  ["an iss of null", but("iss", null), check("token_iss_refused")],
  ["an empty iss", but("iss", ""), check("token_iss_refused")],
  ["another iss", but("iss", "other"), check("token_iss_refused")],
  ["an iss that is a list", but("iss", ["rowhouse"]), invalidClaim],
  ["no sub", but("sub"), check("token_sub_missing")],
  ["a sub of null", but("sub", null), check("token_sub_missing")],
  ["an empty sub", but("sub", ""), check("token_sub_invalid")],
  ["a sub of 256 characters", but("sub", "x".repeat(256)), check("token_sub_invalid")],
  ["a sub that is a number", but("sub", 1), invalidClaim],
  ["a sub that is a list", but("sub", [id]), invalidClaim],
  ["no role", but("role"), check("token_role_refused")],
  ["the role anonymous", but("role", "anonymous"), check("token_role_refused")],
  [
    "the role anonymous and little else",
    { role: "anonymous", sub: id },
    check("token_role_refused"),
  ],
];

test.each(faults)("A caller whose token has %s is 401", async (_, faulty, expected) => {
  const before = await everything(api);
  const someone = caller(api, signed(faulty));
  for (const ask of [{}, { method: "POST", body: { title: "x" } }, { method: "DELETE" }]) {
    expect(await someone.ask("/tasks", ask)).toMatchObject(expected);
  }
  expect(await everything(api)).toEqual(before);
});

test.each([
  ["is no UUID", "alice"],
  ["has a line break after it", `${id}\n`],
  ["is in braces", `{${id}}`],
  ["has no hyphens", id.replaceAll("-", "")],
])("A caller whose sub %s is a user of their own, and not Alice", async (_, sub) => {
  const someone = caller(api, signed(but("sub", sub)));
  expect(await someone.ask("/tasks")).toMatchObject({ status: 200, body: [] });
  const me = await someone.ask("/rpc/me", { method: "POST" });
  expect(me).toMatchObject({ status: 200, body: { id: expect.not.stringMatching(id) } });
});

const refusedRole = refusal(403, "42501");
test.each([
  ["postgres", refusedRole],
  ["authenticator", refusedRole],
  ["pg_read_all_data", refusedRole],
  ["none", refusedRole],
  ["nobody_at_all", unknownRole],
  ["AUTHENTICATED", unknownRole],
  ["", unknownRole],
  [null, unknownRole],
  [1, unknownRole],
  [["authenticated"], unknownRole],
  ["authenticated\0", refusal(400, "22P05")],
])(
  "A caller whose token has the role %j is refused and reaches nothing",
  async (role, expected) => {
    const before = await everything(api);
    const someone = caller(api, signed(but("role", role)));
    for (const path of ["/tasks", "/users", "/"]) {
      const answer = await someone.ask(path);
      expect(answer).toMatchObject(expected);
      expect(JSON.stringify(answer.body)).not.toContain("canary");
    }
    expect(await someone.ask("/tasks", { method: "DELETE" })).toMatchObject(expected);
    expect(await everything(api)).toEqual(before);
  },
);

test.each([
  ["expired 20 s ago", () => but("exp", past(20))],
  ["is valid in 20 s", () => but("nbf", past(-20))],
  ["was issued in 20 s", () => but("iat", past(-20))],
  ["names a list of auds with ours in it", () => but("aud", ["other", "rowhouse"])],
  ["has no email", () => but("email")],
  ["writes the sub in capitals", () => but("sub", id.toUpperCase())],
  ["has claims that mean nothing here", () => ({ ...claims, user_id: randomUUID(), admin: true })],
])("A user whose token %s is served", async (_, sound) => {
  const answer = await caller(api, signed(sound())).ask("/tasks?select=title");
  expect(answer).toMatchObject({ status: 200, body: [{ title }] });
});

test.each([
  ["alg none and no signature", forge({ alg: "none" }, claims, () => "")],
  ["alg none and the right signature", forge({ alg: "none" }, claims, hmac("sha256", secret))],
  ["an alg nobody knows", forge({ alg: "None" }, claims, () => "")],
  ["no alg", forge({}, claims, hmac("sha256", secret))],
  ["HS512 with the right secret", forge({ alg: "HS512" }, claims, hmac("sha512", secret))],
  ["HS384 with the right secret", forge({ alg: "HS384" }, claims, hmac("sha384", secret))],
  ["RS256 with a key of its own", forge({ alg: "RS256" }, claims, rsa)],
  [
    "RS256 and its own key in the header",
    forge({ alg: "RS256", jwk: publicKey.export({ format: "jwk" }) }, claims, rsa),
  ],
  ["a public key's text as the secret", sign(claims, publicText)],
  ["another secret", sign(claims, "another-secret-that-is-long-enough")],
  ["an empty secret", forge({ alg: "HS256" }, claims, hmac("sha256", ""))],
  ["its signature cut", sign(claims).slice(0, -4)],
  ["its signature taken off", sign(claims).replace(/[^.]+$/, "")],
  [
    "other claims under the signature",
    sign(claims).replace(/\.[^.]+\./, `.${sign(claimsFor(randomUUID())).split(".")[1]}.`),
  ],
  ["another token after it", `${sign(claims)}.${sign(claims)}`],
  ["one part", "garbage"],
  ["three empty parts", ".."],
  ["three parts of garbage", "a.b.c"],
  ["5,000 letters", "a".repeat(5000)],
  ["the word null", "null"],
])("A caller with a token of %s is 401", async (_, token) => {
  const answer = await caller(api, token).ask("/tasks");
  expect(answer).toMatchObject(invalidToken);
  expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token"/);
});

describe("A caller without a token", () => {
  const credentials = Buffer.from(`postgres:${secret}`).toString("base64");
  test.each([
    ["no header", undefined],
    ["an empty header", ""],
    ["an empty Bearer", "Bearer "],
    ["Basic", `Basic ${credentials}`],
    ["a sound token without Bearer", sign(claims)],
    ["a sound token under another scheme", `Token ${sign(claims)}`],
    ["an empty set of signed claims", `Bearer ${sign({})}`],
    ["a signed role anonymous alone", `Bearer ${sign({ role: "anonymous" })}`],
  ])("is anonymous with %s", async (_, authorization) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const someone = caller(api);
    for (const path of ["/tasks", "/users", "/rpc/me"]) {
      expect(await someone.ask(path, { headers })).toMatchObject({
        status: 401,
        body: {
          code: "42501",
          message: "permission denied for schema api",
          details: null,
          hint: null,
        },
      });
    }
    const answer = await someone.ask("/tasks", { headers });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(await someone.ask("/", { headers })).toMatchObject({ status: 200 });
  });
});

test("A caller cannot hand over claims or a role by header or query", async () => {
  const forged = { role: "authenticated", "request.jwt.claims": JSON.stringify(claims), sub: id };
  expect(await caller(api).ask("/tasks", { headers: forged })).toMatchObject({ status: 401 });
  expect(await caller(api).ask(`/tasks?jwt=eq.${sign(claims)}`)).toMatchObject({ status: 401 });
});
