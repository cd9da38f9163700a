import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { JWK } from "jose";
import type pg from "pg";

/** The file in which PostgREST finds the keys that tokens may be signed with. */
export interface KeyFile {
  readonly path: string;
  /** A further secret, JWK or JWK set that goes into it. */
  readonly jwtSecret: string | undefined;
}

/**
 * Writes a set of public keys, and tells PostgREST to read the file again.
 *
 * @param pool Of any role that can connect.
 * @returns Whether the file has changed.
 */
export async function writeKeyFile(
  { path, jwtSecret }: KeyFile,
  keys: readonly JWK[],
  pool: pg.Pool,
): Promise<boolean> {
  const set = JSON.stringify({ keys: [...keys, ...furtherKeys(jwtSecret)] });
  if (existsSync(path) && readFileSync(path, "utf8") === set) return false;
  // By rename: PostgREST never reads half a file.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, set, { mode: 0o600 });
  renameSync(draft, path);
  await pool.query("notify pgrst, 'reload config'");
  return true;
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
