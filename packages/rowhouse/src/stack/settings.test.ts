import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readSettings } from "./settings.ts";

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = publicKey.export({ format: "jwk" });
const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
const k = Buffer.alloc(32, 7).toString("base64url");

const readFault = (env: Record<string, string>) => {
  try {
    readSettings(env);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[1]?.trim() : String(error);
  }
};

describe("a JWT_SECRET", () => {
  test.each([
    [
      "a short one",
      "a-secret-of-thirty-one-bytes-is",
      "JWT_SECRET has 31 bytes: give at least 32 random bytes",
    ],
    ["a PEM key", pem, "JWT_SECRET is a PEM key: give it as a JWK (RFC 7517)"],
    [
      "the name of a file",
      `@/etc/${"x".repeat(40)}`,
      "JWT_SECRET starts with @, which PostgREST takes for the name of a file",
    ],
    [
      "a broken JWK",
      '{"kty":"RSA","n":"u1SU1LfVLPHCozMxH2Mo4lgOEe',
      "JWT_SECRET starts like a JWK but is not JSON",
    ],
    [
      "a JWK without an exponent",
      JSON.stringify({ ...jwk, e: undefined }),
      'JWT_SECRET holds a key of type "RSA" that cannot be read',
    ],
    [
      "a JWK of an unknown type",
      '{"kty":"none","n":"and-more-than-enough-bytes"}',
      'JWT_SECRET holds a key of type "none" that cannot be read',
    ],
    [
      "a short oct key",
      '{"kty":"oct","k":"c2hvcnQ"}',
      "JWT_SECRET holds an oct key of 5 bytes: at least 32",
    ],
    ["a JWK set without a key", '{"keys":[]}', "JWT_SECRET is a JWK set without a key"],
    [
      "a list of keys",
      JSON.stringify([jwk]),
      'JWT_SECRET is a JSON list: give a JWK set, {"keys": [...]}',
    ],
    [
      "a set with one bad key",
      JSON.stringify({ keys: [jwk, "x"] }),
      "JWT_SECRET holds a key that is not a JWK",
    ],
  ])("that is %s is refused", (_, secret, fault) => {
    expect(readFault({ JWT_SECRET: secret })).toBe(fault);
  });

  test.each([
    ["32 bytes", "0123456789abcdef0123456789abcdef"],
    ["a public JWK", JSON.stringify(jwk)],
    ["an oct key of 32 bytes", JSON.stringify({ kty: "oct", k })],
    ["a JWK set", JSON.stringify({ keys: [jwk, { kty: "oct", k }] })],
  ])("of %s is accepted as it is", (_, secret) => {
    expect(readSettings({ JWT_SECRET: secret }).jwtSecret).toBe(secret);
  });
});

test("an empty variable counts as missing", () => {
  expect(readSettings({ API_PORT: "", JWT_AUD: "", DATABASE_URL: "" })).toMatchObject({
    apiPort: 3000,
    jwtAud: "rowhouse",
    databaseUrl: undefined,
  });
});
