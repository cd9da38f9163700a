import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import pg from "pg";
import { migratedClone, startApi, waitFor } from "rowhouse/testing";
import { afterEach, expect, test } from "vitest";
import { fetchProviderKeys, followProviderKeys, type KeySource } from "../src/provider-keys.ts";
import { readProviderSettings } from "../src/settings.ts";
import { startProvider } from "./provider.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A key as a provider publishes it, and a token that it signs. */
function newKey(kid: string, issuer: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" },
    token: new SignJWT({ role: "authenticated" })
      .setProtectedHeader({ alg: "ES256", kid })
      .setSubject("auth0|1")
      .setIssuer(issuer)
      .setAudience("rowhouse")
      .setExpirationTime("10m")
      .sign(privateKey),
  };
}

/** A server that publishes documents by path; what is not there is 503. */
async function publish(documents: Record<string, unknown>) {
  const server = createServer(({ url = "" }, response) => {
    const document = documents[url];
    response.writeHead(document === undefined ? 503 : 200, { "Content-Type": "application/json" });
    response.end(typeof document === "string" ? document : JSON.stringify(document));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("the keys of a real provider are found by its issuer", async () => {
  const provider = await startProvider();
  cleanups.push(provider.stop);
  const keys = await fetchProviderKeys({ issuer: provider.issuer });
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(key).not.toHaveProperty("d");
});

test("PostgREST follows the keys of a provider, and keeps them while it is away", async () => {
  const documents: Record<string, unknown> = {};
  const origin = await publish(documents);
  const [first, second] = [newKey("first", origin), newKey("second", origin)];
  documents["/.well-known/openid-configuration"] = { issuer: origin, jwks_uri: `${origin}/keys` };
  documents["/keys"] = { keys: [first.jwk] };

  const databaseUrl = await migratedClone();
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-keys-"));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  const pool = new pg.Pool({ connectionString: databaseUrl });
  cleanups.push(() => pool.end());
  const file = { path: join(dir, "jwks.json"), jwtSecret: undefined };
  const follow = async () => {
    const end = await followProviderKeys({ issuer: origin }, file, pool, 50);
    cleanups.push(end);
    return end;
  };
  await follow();
  const api = await startApi(databaseUrl, { jwtSecret: `@${file.path}`, jwtIss: origin });
  cleanups.push(api.stop);
  const statusFor = async (token: Promise<string>) =>
    (await fetch(`${api.url}/tasks`, { headers: { Authorization: `Bearer ${await token}` } }))
      .status;

  expect(await statusFor(first.token)).toBe(200);
  expect(await statusFor(second.token)).toBe(401);

  documents["/keys"] = { keys: [first.jwk, second.jwk] };
  const arrived = await waitFor(
    async () => ((await statusFor(second.token)) === 200 ? true : undefined),
    50,
    20_000,
  );
  expect(arrived).toBe(true);

  documents["/keys"] = undefined;
  const kept = readFileSync(file.path, "utf8");
  await (await follow())();
  expect(readFileSync(file.path, "utf8")).toBe(kept);
  expect(await statusFor(first.token)).toBe(200);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["another issuer", { issuer: "https://other.example" }, /set AUTH_ISSUER to that/],
  ["no address of keys", { jwks_uri: undefined }, /no such document/],
  ["keys without https elsewhere", { jwks_uri: "http://other.example/keys" }, /is not https/],
])("a provider that names %s is refused", async (_, fault, message) => {
  const documents: Record<string, unknown> = {};
  const issuer = await publish(documents);
  documents["/keys"] = { keys: [newKey("k", issuer).jwk] };
  documents["/.well-known/openid-configuration"] = { issuer, jwks_uri: `${issuer}/keys`, ...fault };
  await expect(fetchProviderKeys({ issuer })).rejects.toMatchObject({
    code: "provider_keys_failed",
    message: expect.stringMatching(message),
  });
});

test.each<[string, unknown, RegExp]>([
  ["nothing", undefined, /answered 503/],
  ["no JSON", "<html>", /Cannot read/],
  ["no keys", { keys: [] }, /no key that signs/],
  ["a shared key", { keys: [{ kty: "oct", k: "c2VjcmV0" }] }, /no key that signs/],
  ["a key to encrypt with", { keys: [{ kty: "RSA", use: "enc" }] }, /no key that signs/],
  ["a very long answer", { keys: [{ kty: "RSA", n: "x".repeat(1_100_000) }] }, /too long/],
])("a key set of %s is refused", async (_, document, message) => {
  const origin = await publish({ "/keys": document });
  const source: KeySource = { jwksUrl: `${origin}/keys` };
  await expect(fetchProviderKeys(source)).rejects.toThrow(message);
});

test("without keys to begin with, nothing starts", async () => {
  const origin = await publish({});
  const pool = new pg.Pool();
  const file = { path: join(tmpdir(), "not-there", "jwks.json"), jwtSecret: undefined };
  await expect(followProviderKeys({ jwksUrl: `${origin}/keys` }, file, pool)).rejects.toThrow(
    /answered 503/,
  );
});

test("settings without a provider are those of accounts of our own", () => {
  expect(readProviderSettings({ AUTH_ISSUER: "" })).toBeUndefined();
  expect(() => readProviderSettings({ AUTH_ISSUER: "no address" })).toThrow(/AUTH_ISSUER/);
});
