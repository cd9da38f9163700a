import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inject } from "vitest";
import { waitFor } from "../../src/lib/wait.ts";
import { findPostgrest } from "../../src/stack/binaries.ts";
import { loginUrl } from "../../src/stack/login.ts";
import { launchPostgrest } from "../../src/stack/postgrest.ts";
import { launch, type Server } from "../../src/stack/process.ts";
import { startWatchdog } from "../../src/stack/watchdog.ts";
import { secret } from "../../src/testing/api.ts";
import { projectRoot } from "../support/project.ts";
import { type Names, startNames } from "./names.ts";

const watchdog = startWatchdog();
const servers: Server[] = [];
let edges = 0;
let apis = 10;

/** compose/haproxy.cfg, run by Debian's HAProxy. */
export interface Edge {
  readonly url: string;
  /** The address that it listens at, on 8443 and 8080. */
  readonly host: string;
  readonly names: Names;
  readonly server: Server;
  /** The folder of its sockets: EDGE_DIRECTORY. */
  readonly dir: string;
  /** All that it has logged. */
  readonly log: () => string;
  /** Sends a command to its socket; resolves with the answer. */
  readonly command: (line: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** What an edge stands in front of, and its settings. */
interface EdgeOptions {
  /** The addresses of PostgRESTs. */
  readonly apis: readonly string[];
  /** The address of the sign-in service. */
  readonly auth?: string;
  readonly variables?: Record<string, string>;
}

/** Limits that no test meets which is not about them. */
const unlimited = {
  EDGE_ADDRESS_RATE: "1000000",
  EDGE_ADDRESS_CONNECTIONS: "10000",
  EDGE_USER_RATE: "1000000",
};

/** Starts an edge and waits until it serves; stop it in afterAll. */
export async function startEdge({ apis, auth, variables }: EdgeOptions): Promise<Edge> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-edge-"));
  edges += 1;
  const host = addressOf(edges);
  const names = await startNames(host);
  names.set("postgrest", apis);
  if (auth !== undefined) names.set("auth", [auth]);
  const socket = join(dir, "edge.sock");
  const logFile = join(dir, "edge.log");
  const server = await launch(
    {
      command: "haproxy",
      args: ["-W", "-db", "-C", join(projectRoot, "compose"), "-f", "haproxy.cfg"],
      env: {
        ...process.env,
        ...unlimited,
        EDGE_BIND: host,
        EDGE_CERTIFICATE: inject("certificate"),
        EDGE_RESOLVER: names.address,
        EDGE_DIRECTORY: dir,
        ...(auth === undefined ? {} : { EDGE_AUTH_HOST: "auth" }),
        ...variables,
      },
      logFile,
    },
    "SIGUSR1",
  );
  watch(server);
  const log = () => readFileSync(logFile, "utf8");
  const command = async (line: string) => {
    const connection = connect(socket);
    connection.write(`${line}\n`);
    return text(connection);
  };
  const up = (backend: string) => new RegExp(`^${backend},${backend}\\d,.*,UP,`, "m");
  await reach(`${host} knows its servers`, log, async () => {
    if (server.end() !== undefined) throw new Error(`The edge ended: ${log()}`);
    const stat = await command("show stat").catch(() => "");
    const count = stat.match(new RegExp(up("api"), "gm"))?.length ?? 0;
    return count >= apis.length && (auth === undefined || up("auth").test(stat));
  });
  return {
    url: `https://${host}:8443`,
    host,
    names,
    server,
    dir,
    log,
    command,
    stop: async () => {
      process.kill(server.pid, "SIGTERM");
      await server.ended;
      names.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** A PostgREST at an address of its own, as each container has one. */
export interface Postgrest {
  readonly address: string;
  readonly server: () => Server;
  /** Starts it again after it has ended; resolves when it is ready. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a PostgREST on a database, on the ports that compose gives it. */
export async function startPostgrest(
  databaseUrl: string,
  extra: Record<string, string> = {},
  jwtSecret = secret,
): Promise<Postgrest> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-edge-api-"));
  apis += 1;
  const address = addressOf(apis);
  const logFile = join(dir, "postgrest.log");
  let server: Server;
  const start = async () => {
    server = await launchPostgrest({
      binary: findPostgrest(process.env.POSTGREST_BIN),
      databaseUrl: loginUrl(databaseUrl, "authenticator", inject("authenticatorPassword")),
      port: 3000,
      adminPort: 3001,
      jwtSecret,
      jwtAud: "rowhouse",
      jwtIss: "rowhouse",
      pool: 5,
      logFile,
      extra: {
        PGRST_SERVER_HOST: address,
        PGRST_OPENAPI_SERVER_PROXY_URI: "https://api.example.com",
        ...extra,
      },
    });
    watch(server);
    const log = () => readFileSync(logFile, "utf8");
    await reach(`PostgREST at ${address} is ready`, log, async () => {
      if (server.end() !== undefined) throw new Error(`PostgREST ended: ${log()}`);
      return (await fetch(`http://${address}:3001/ready`).catch(() => undefined))?.ok ?? false;
    });
  };
  await start();
  return {
    address,
    server: () => server,
    start,
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** A loopback address of this worker's own; the certificate knows those of edges. */
export function addressOf(place: number): string {
  return `${inject("network")}.${Number(process.env.VITEST_POOL_ID ?? 0) % 8}.${place}`;
}

/** So that nothing outlives a run that is killed. */
export function watch(server: Server): void {
  servers.push(server);
  watchdog(servers);
}

/** Resolves when a condition holds; fails with a log when it does not within 20 s. */
async function reach(
  what: string,
  log: () => string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const held = await waitFor(async () => ((await holds()) ? true : undefined), 20, 20_000);
  if (!held) throw new Error(`It did not come true within 20 s that ${what}:\n${log()}`);
}
