import { readFileSync, writeFileSync } from "node:fs";
import { decodeJwt, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { renewEncryption } from "../src/renew-encryption.ts";
import { linkLifetime, renewLink } from "../src/renew-link.ts";
import { decrypt } from "../src/secrets.ts";
import { addKey, listKeys, maintainKeys, prepareKeys, promoteKey } from "../src/signing-keys.ts";
import {
  ask,
  askApi,
  exchangeCode,
  follow,
  forgetTries,
  linkTo,
  newPerson,
  password,
  type SignIn,
  startSignIn,
  tokenFor,
} from "./support.ts";

let signIn: SignIn;

beforeAll(async () => {
  signIn = await startSignIn({
    AUTH_SECRET: `a-secret-for-tests-that-is-long-enough,${oldSecret}`,
  });
});

beforeEach(() => forgetTries(signIn));

afterAll(() => signIn.stop());

const withSecrets = (...secrets: [string, ...string[]]) => ({
  ...signIn.keys,
  settings: { ...signIn.settings, secrets },
});

const [newSecret, otherSecret] = ["n".repeat(32), "o".repeat(32)];
const oldSecret = "a-secret-that-was-there-before-it";
const readFile = () => readFileSync(signIn.settings.keyFile.path, "utf8");

test("a key that has ended goes from the database and from PostgREST's file", async () => {
  const [old] = await listKeys(signIn.keys);
  const id = await addKey(signIn.keys, "never");
  await promoteKey(signIn.keys, id);
  await maintainKeys(signIn.keys);
  expect(readFile()).toContain(old?.id);
  expect(await listKeys(signIn.keys)).toMatchObject([
    { id: old?.id, state: "ends" },
    { id, state: "signs" },
  ]);
  await signIn.sql(
    "update identity.signing_keys set expires_at = now() - interval '1 second' where id = $1",
    [old?.id],
  );
  await maintainKeys(signIn.keys);
  expect(readFile()).not.toContain(old?.id);
  expect(await listKeys(signIn.keys)).toMatchObject([{ id, state: "signs" }]);
});

test("a file that another process left behind is replaced by the set in the database", async () => {
  const set = readFile();
  writeFileSync(signIn.settings.keyFile.path, '{"keys":[]}');
  await maintainKeys(signIn.keys);
  expect(readFile()).toBe(set);
});

test("a new secret takes over what the old one has encrypted, second factors too", async () => {
  const { session } = await newPerson(signIn);
  const { body } = await ask(signIn, "/two-factor/enable", { session, body: { password } });
  const [old] = signIn.settings.secrets;
  const both = withSecrets(newSecret, old);
  const readFactor = async () => {
    const [row] = await signIn.sql<{ secret: string; backup_codes: string }>(
      "select secret, backup_codes from identity.two_factors",
    );
    return row ?? { secret: "", backup_codes: "" };
  };
  const before = await decrypt(signIn.settings, (await readFactor()).secret);
  expect(await renewEncryption(withSecrets(newSecret))).toEqual({ renewed: 0, unreadable: 3 });
  expect(await renewEncryption(both)).toEqual({ renewed: 3, unreadable: 0 });
  expect(await renewEncryption(both)).toEqual({ renewed: 0, unreadable: 0 });

  const { settings } = withSecrets(newSecret);
  const { secret, backup_codes } = await readFactor();
  expect(await decrypt(settings, secret)).toBe(before);
  expect(JSON.parse(await decrypt(settings, backup_codes))).toEqual(body.backupCodes);
  await prepareKeys(withSecrets(newSecret));
  // Back again, for the service of these tests.
  expect(await renewEncryption(withSecrets(old, newSecret))).toMatchObject({ renewed: 3 });
  const token = await tokenFor(signIn, session);
  expect((await askApi(signIn, "/tasks", token)).status).toBe(200);
});

test("a service without the secret of its keys does not start, and says why", async () => {
  await expect(prepareKeys(withSecrets(otherSecret))).rejects.toMatchObject({
    code: "secret_unknown",
    remedy: expect.stringContaining("old secret behind the new one"),
  });
});

// So a page holds a session that the newest secret has signed, before the old one is taken out.
test.each(["/get-session", "/token"])(
  "a session that is a day old is handed out anew by %s",
  async (path) => {
    const { id, session } = await newPerson(signIn);
    expect((await ask(signIn, path, { session })).headers.get("set-auth-token")).toBeNull();
    await signIn.sql(
      "update identity.sessions set expires_at = expires_at - interval '1 day 1 minute' where user_id = $1",
      [id],
    );
    expect((await ask(signIn, path, { session })).headers.get("set-auth-token")).toBe(session);
  },
);

/** The link that confirms the address of a new person, as a service with another secret mails it. */
async function linkSignedWith(secret: string, email: string): Promise<URL> {
  await ask(signIn, "/sign-up/email", { body: { name: "Ada", email, password } });
  const link = new URL(linkTo(signIn, email));
  const claims = decodeJwt(link.searchParams.get("token") ?? "");
  const signed = new SignJWT(claims).setProtectedHeader({ alg: "HS256" });
  link.searchParams.set("token", await signed.sign(new TextEncoder().encode(secret)));
  return link;
}

test("a link that was mailed before the secret was changed confirms the address", async () => {
  const link = await linkSignedWith(oldSecret, "before@example.com");
  expect((await exchangeCode(signIn, await follow(link.href))).body.user.emailVerified).toBe(true);
});

test("a link that no secret has signed does not, nor an old one when its time is over", async () => {
  const forged = await linkSignedWith(otherSecret, "forged@example.com");
  expect((await follow(forged.href)).searchParams.get("error")).toBe("INVALID_TOKEN");
  const link = await linkSignedWith(oldSecret, "late@example.com");
  const before = link.href;
  await renewLink(link, signIn.settings.secrets, linkLifetime + 1);
  expect(link.href).toBe(before);
});
