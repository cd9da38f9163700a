import { execFileSync } from "node:child_process";
import { createSign, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { secretFault } from "../../src/stack/jwt-secret.ts";
import { caller, claimsFor, sign, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { alice } from "../support/people.ts";
import { projectRoot } from "../support/project.ts";

const oldSecret = "the-old-secret-that-is-long-enough";
const newSecret = "the-new-secret-that-is-long-enough";
const byOld = sign(claimsFor(alice), oldSecret);
const byNew = sign(claimsFor(alice), newSecret);

/** The key set that the page has one make of two secrets, by the page's own line. */
function keySetOfThePage(OLD = oldSecret, NEW = newSecret): string {
  const page = readFileSync(join(projectRoot, "docs/operations.md"), "utf8");
  const [, script = ""] = /node -p '(.*)'$/m.exec(page) ?? [];
  const env = { OLD, NEW };
  return execFileSync(process.execPath, ["-p", script], { env, encoding: "utf8" }).trim();
}

/** How tokens are answered, one after the other, by a PostgREST that was started with a secret. */
async function statuses(url: string, jwtSecret: string, tokens: string[]): Promise<number[]> {
  expect(secretFault(jwtSecret)).toBeUndefined();
  const api = await startApi(url, { jwtSecret });
  onTestFinished(() => api.stop().catch(() => {}));
  const answers = [];
  for (const token of tokens) answers.push((await caller(api, token).ask("/tasks")).status);
  await api.stop();
  return answers;
}

test("Each key of the page's set has a kid of its own, which it keeps in the next rotation", () => {
  const kids = JSON.parse(keySetOfThePage()).keys.map(({ kid }: { kid: string }) => kid);
  expect(kids).toEqual([expect.stringMatching(/^\w{8}$/), expect.stringMatching(/^\w{8}$/)]);
  expect(kids[0]).not.toBe(kids[1]);
  expect(JSON.parse(keySetOfThePage(newSecret, oldSecret)).keys[0].kid).toBe(kids[1]);
});

test("Users with old and new tokens are served during a rotation, and old ones refused after it", async () => {
  const url = await cloneDatabase();
  const tokens = [byOld, byNew];
  expect(await statuses(url, oldSecret, tokens)).toEqual([200, 401]);
  expect(await statuses(url, keySetOfThePage(), tokens)).toEqual([200, 200]);
  expect(await statuses(url, newSecret, tokens)).toEqual([401, 200]);
});

test("A shared secret can be replaced by an identity provider's key in the same way", async () => {
  const url = await cloneDatabase();
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  // Since 13 PostgREST takes a token with a kid for the key with that kid alone.
  const kid = "provider-2026";
  const parts = [{ alg: "RS256", kid }, claimsFor(alice)].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = createSign("sha256").update(parts.join(".")).sign(privateKey, "base64url");
  const tokens = [byOld, [...parts, signature].join(".")];
  const old = { kty: "oct", k: Buffer.from(oldSecret).toString("base64url") };
  const provider = { ...publicKey.export({ format: "jwk" }), kid };
  expect(await statuses(url, JSON.stringify({ keys: [old, provider] }), tokens)).toEqual([
    200, 200,
  ]);
  expect(await statuses(url, JSON.stringify({ keys: [provider] }), tokens)).toEqual([401, 200]);
});
