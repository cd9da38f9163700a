import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { withClient } from "../../src/stack/database.ts";
import { loginUrl } from "../../src/stack/login.ts";
import { freePort } from "../../src/stack/ports.ts";
import { lastLines, launch } from "../../src/stack/process.ts";
import { startWatchdog } from "../../src/stack/watchdog.ts";
import { projectRoot } from "../support/project.ts";

/** A PgBouncer of a test's own. */
export interface Pooler {
  /** The database's URL through it, as authenticator. */
  readonly url: string;
  /** Ends it when it runs, and starts it again on the same port. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const program = process.env.PGBOUNCER_BIN || "pgbouncer";

/** Whether this PgBouncer can prepare statements in transaction mode: 1.21 and newer. */
export const canPrepare = minorVersion() >= 21;

function minorVersion(): number {
  const printed = execFileSync(program, ["--version"], { encoding: "utf8" });
  return Number(/^PgBouncer 1\.(\d+)/.exec(printed)?.[1]);
}

/**
 * Starts PgBouncer with compose/pgbouncer.ini in front of a database; stop it in afterAll.
 *
 * @param change Settings that differ from that file.
 */
export async function startPooler(
  databaseUrl: string,
  change: Record<string, string> = {},
): Promise<Pooler> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-pooler-"));
  const port = await freePort();
  const identity = ownedByNobody(dir);
  const password = inject("authenticatorPassword");
  const users = join(dir, "users.txt");
  const config = join(dir, "pgbouncer.ini");
  const logFile = join(dir, "log");
  identity.write(users, `"authenticator" "${password}"\n`);
  const own = { listen_addr: "127.0.0.1", listen_port: String(port), auth_file: users, ...change };
  identity.write(config, configuration(databaseUrl, own));
  const through = new URL(loginUrl(databaseUrl, "authenticator", password));
  through.host = `127.0.0.1:${port}`;
  const watchdog = startWatchdog();
  const start = async () => {
    const server = await launch(
      { command: program, args: [config], ...identity.who, logFile },
      "SIGINT",
    );
    watchdog([server]);
    const ready = await waitFor<true | string>(
      () => server.end() ?? answers(through.href),
      25,
      10_000,
    );
    if (ready !== true) throw new Error(`PgBouncer: ${ready}\n${lastLines(logFile)}`);
    return server;
  };
  let server = await start();
  return {
    url: through.href,
    restart: async () => {
      await server.stop();
      server = await start();
    },
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** The file that compose uses, on another database and with other settings. */
function configuration(databaseUrl: string, change: Record<string, string>): string {
  const { hostname, port, pathname } = new URL(databaseUrl);
  const name = pathname.slice(1);
  const lines = readFileSync(join(projectRoot, "compose/pgbouncer.ini"), "utf8")
    .replace(/^rowhouse = .*$/m, `${name} = host=${hostname} port=${port}`)
    .split("\n")
    .filter((line) => canPrepare || !line.startsWith("max_prepared_statements"));
  const changed = new Set(Object.keys(change));
  const kept = lines.filter((line) => !changed.has(line.split(" =")[0] ?? ""));
  return [...kept, ...Object.entries(change).map((pair) => pair.join(" = "))].join("\n");
}

/** PgBouncer refuses to run as root: then it is nobody, who owns its files. */
function ownedByNobody(dir: string) {
  const nobody = process.getuid?.() === 0 ? 65534 : undefined;
  chmodSync(dir, 0o711);
  return {
    who: nobody === undefined ? {} : { uid: nobody, gid: nobody },
    write: (file: string, text: string) => {
      writeFileSync(file, text, { mode: 0o600 });
      if (nobody !== undefined) chownSync(file, nobody, nobody);
    },
  };
}

async function answers(url: string): Promise<true | undefined> {
  try {
    await withClient(url, (client) => client.query("select"));
    return true;
  } catch {
    return undefined; // Not listening yet.
  }
}
