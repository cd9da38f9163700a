import { createPublicKey } from "node:crypto";

/** HS256 wants a key at least as long as its hash: RFC 7518, section 3.2. */
const leastBytes = 32;

/**
 * What is wrong with a JWT secret, or undefined when it is sound.
 *
 * PostgREST takes whatever it cannot parse as the bytes of an HMAC key. A mangled JWK or a PEM
 * public key would so become a secret that everyone knows, and must be refused before.
 */
export function secretFault(secret: string): string | undefined {
  if (secret.includes("-----BEGIN")) return "is a PEM key: give it as a JWK (RFC 7517)";
  if (secret.startsWith("@")) return "starts with @, which PostgREST takes for the name of a file";
  if (/^\s*\[/.test(secret)) return 'is a JSON list: give a JWK set, {"keys": [...]}';
  if (/^\s*\{/.test(secret)) return jwksFault(secret);
  const bytes = Buffer.byteLength(secret);
  if (bytes < leastBytes) return `has ${bytes} bytes: give at least ${leastBytes} random bytes`;
  return undefined;
}

/** Whether tokens can be signed with it: a shared secret can, a key or key set cannot. */
export function canSign(secret: string): boolean {
  return !secret.trimStart().startsWith("{");
}

/** Whether a key of a sound key or key set has no `kid`: since 13 PostgREST tells keys apart by it. */
export function lacksKid(secret: string): boolean {
  return !canSign(secret) && parseKeys(secret).some((key) => !isRecord(key) || !key.kid);
}

/** @throws SyntaxError */
function parseKeys(text: string): unknown[] {
  const parsed: unknown = JSON.parse(text);
  return isRecord(parsed) && Array.isArray(parsed.keys) ? parsed.keys : [parsed];
}

function jwksFault(text: string): string | undefined {
  let keys: unknown[];
  try {
    keys = parseKeys(text);
  } catch {
    return "starts like a JWK but is not JSON";
  }
  if (keys.length === 0) return "is a JWK set without a key";
  return keys.map(jwkFault).find((fault) => fault !== undefined);
}

function jwkFault(key: unknown): string | undefined {
  if (!isRecord(key)) return "holds a key that is not a JWK";
  if (key.kty === "oct") {
    const bytes = typeof key.k === "string" ? Buffer.from(key.k, "base64url").length : 0;
    return bytes < leastBytes
      ? `holds an oct key of ${bytes} bytes: at least ${leastBytes}`
      : undefined;
  }
  try {
    createPublicKey({ key, format: "jwk" });
    return undefined;
  } catch {
    return `holds a key of type ${JSON.stringify(key.kty)} that cannot be read`;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
