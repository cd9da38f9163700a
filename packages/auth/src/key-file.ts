import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { JWK } from "jose";

/** The file in which PostgREST finds the keys that tokens may be signed with. */
export interface KeyFile {
  readonly path: string;
  /** A further secret, JWK or JWK set that goes into it. */
  readonly jwtSecret: string | undefined;
}

/** Public keys as a JWK set (RFC 7517), with JWT_SECRET among them: what the file holds. */
export function formatKeySet(keys: readonly JWK[], { jwtSecret }: KeyFile): string {
  return JSON.stringify({ keys: [...keys, ...furtherKeys(jwtSecret)] });
}

/** What the file holds; undefined when it is not there yet. */
export function readKeyFile({ path }: KeyFile): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Writes the file. By rename: PostgREST never reads half of it. */
export function writeKeyFile({ path }: KeyFile, set: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, set, { mode: 0o600 });
  renameSync(draft, path);
}

/** Whether the file holds keys of the service, and behind them those of this JWT_SECRET. */
export function holdsFurtherKeys(file: KeyFile): boolean {
  const { keys } = JSON.parse(readKeyFile(file) ?? '{"keys":[]}') as { keys: JWK[] };
  const further = furtherKeys(file.jwtSecret);
  const kept = keys.slice(keys.length - further.length);
  return keys.length > further.length && JSON.stringify(kept) === JSON.stringify(further);
}

/** JWT_SECRET as keys of a set: a JWK set, one JWK, or the characters of a shared secret (HS256). */
function furtherKeys(secret: string | undefined): JWK[] {
  if (secret === undefined) return [];
  if (!secret.trimStart().startsWith("{")) {
    return [{ kty: "oct", alg: "HS256", k: Buffer.from(secret).toString("base64url") }];
  }
  const parsed = JSON.parse(secret) as JWK | { keys: JWK[] };
  return "keys" in parsed ? (parsed.keys as JWK[]) : [parsed as JWK];
}
