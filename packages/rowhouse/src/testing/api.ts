import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import { inject } from "vitest";
import "./context.ts";
import { findPostgrest } from "../stack/binaries.ts";
import { loginUrl } from "../stack/login.ts";
import { freePort } from "../stack/ports.ts";
import { type ApiOptions, launchPostgrest, postgrestReady } from "../stack/postgrest.ts";
import type { Server } from "../stack/process.ts";
import { startWatchdog } from "../stack/watchdog.ts";
import { type Caller, caller } from "./caller.ts";

export { type Answer, type Ask, type Caller, caller } from "./caller.ts";

/** The secret that the tests' tokens are signed with. */
export const secret = "a-secret-for-tests-that-is-long-enough";

/** A PostgREST of a test's own. */
export interface Api {
  readonly url: string;
  readonly server: Server;
  readonly logFile: string;
  readonly stop: () => Promise<void>;
}

/** Starts PostgREST on a database; stop it in afterAll. */
export async function startApi(
  databaseUrl: string,
  options: Partial<ApiOptions> = {},
): Promise<Api> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-api-"));
  const port = await freePort();
  const logFile = join(dir, "postgrest.log");
  const settings: ApiOptions = {
    binary: findPostgrest(process.env.POSTGREST_BIN),
    databaseUrl: loginUrl(databaseUrl, "authenticator", inject("authenticatorPassword")),
    port,
    adminPort: await freePort(),
    jwtSecret: secret,
    jwtAud: "rowhouse",
    jwtIss: "rowhouse",
    pool: 5,
    logFile,
    ...options,
  };
  const server = await launchPostgrest(settings);
  startWatchdog()([server]);
  await postgrestReady(settings, server);
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    logFile,
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** The claims of a sound token for a user. */
export function claimsFor(id: string): Record<string, unknown> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return {
    sub: id,
    email: `${id}@example.com`,
    role: "authenticated",
    aud: "rowhouse",
    iss: "rowhouse",
    exp,
  };
}

/** Signs claims as they are, with the secret of the API under test by default. */
export function sign(claims: Record<string, unknown>, key = secret): string {
  return jwt.sign(claims, key, { noTimestamp: true });
}

/** A signed-in user who exists in the database: POST /rpc/me has made them. */
export async function signIn(api: Pick<Api, "url">, id: string = randomUUID()): Promise<Caller> {
  const user = caller(api, sign(claimsFor(id)), id);
  const { status } = await user.ask("/rpc/me", { method: "POST" });
  if (status !== 200) throw new Error(`signing in answered ${status}`);
  return user;
}
