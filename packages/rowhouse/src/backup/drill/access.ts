import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { findPostgrest } from "../../stack/binaries.ts";
import { freePort, loopback } from "../../stack/ports.ts";
import { launchPostgrest, postgrestReady } from "../../stack/postgrest.ts";
import { signToken } from "../../stack/token.ts";
import { startWatchdog } from "../../stack/watchdog.ts";
import { planTwoUserAttempts, type TwoUserAttempts } from "../../testing/two-users/run.ts";
import type { Check } from "./checks.ts";

/** A restored database, by its URLs. */
interface Restored {
  /** As superuser. */
  readonly url: string;
  /** As the role that PostgREST logs in as. */
  readonly apiUrl: string;
}

/**
 * Serves a restored database with PostgREST, and runs the two-user matrix on each of its owned
 * tables.
 *
 * @param dir A folder for the log.
 */
export async function replayMatrix(
  { url, apiUrl }: Restored,
  dir: string,
  postgrestBin: string | undefined,
): Promise<Check> {
  const signing = { secret: randomBytes(32).toString("hex"), aud: "drill", iss: "drill" };
  const options = {
    binary: findPostgrest(postgrestBin),
    databaseUrl: apiUrl,
    port: await freePort(),
    adminPort: await freePort(),
    jwtSecret: signing.secret,
    jwtAud: signing.aud,
    jwtIss: signing.iss,
    pool: 2,
    maxRows: 100,
    logFile: join(dir, "postgrest.log"),
    // A secret among the database's own settings would win over this one's.
    extra: { PGRST_DB_CONFIG: "false" },
  };
  const server = await launchPostgrest(options);
  startWatchdog()([server]);
  try {
    await postgrestReady(options, server);
    const two = await planTwoUserAttempts({
      url: `http://${loopback}:${options.port}`,
      databaseUrl: url,
      tokenFor: (id, role) =>
        signToken({ id, email: `${id}@example.com` }, { ...signing, expiresIn: 600 }, role),
    });
    const faults: string[] = [];
    for (const attempt of two.attempts) faults.push(...(await two.run(attempt)));
    const nothing = two.attempts.length === 0;
    return { name: "access", of: describe(two), faults, ...(nothing ? { notTried: true } : {}) };
  } finally {
    await server.stop();
  }
}

function describe({ attempts, notTried }: TwoUserAttempts): string {
  if (attempts.length === 0)
    return notTried.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  const tables = new Set(attempts.map(({ table }) => table)).size;
  return [
    `${attempts.length} requests of two users and an anonymous caller to ${tables} tables`,
    ...notTried.map(({ name, reason }) => `not tried: ${name}, ${reason}`),
  ].join("; ");
}
