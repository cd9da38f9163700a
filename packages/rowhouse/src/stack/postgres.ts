import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../lib/errors.ts";
import { note } from "../lib/output.ts";
import { waitFor } from "../lib/wait.ts";
import { findPostgres, postgresVersion } from "./binaries.ts";
import { assertNoneAside, assertSameMajor } from "./data-directory.ts";
import { isConnectionLost } from "./database.ts";
import { packInitialData, unpackInitialData } from "./initial-data.ts";
import { loopback } from "./ports.ts";
import { lastLines, launch, type Server } from "./process.ts";
import { chooseIdentity, give, type Identity } from "./unprivileged.ts";

const run = promisify(execFile);

/** The embedded PostgreSQL on its data directory, ready to be started. */
export interface Cluster {
  readonly dataDir: string;
  /** Full version of the programs: "18.4". */
  readonly version: string;
  readonly password: string;
  readonly logFile: string;
  readonly identity: Identity;
}

/**
 * Finds the data directory, or makes it.
 *
 * @param home Where data belongs: an existing folder.
 * @param password Of the superuser postgres; used only when the directory is made.
 * @param sync Whether a directory that is made has to survive a power cut.
 * @throws RowhouseError data_other_version, postgres_failed, binary_missing
 */
export async function openCluster(
  home: string,
  password: string,
  logFile: string,
  sync = true,
): Promise<Cluster> {
  const identity = chooseIdentity(findPostgres(), home);
  const [major, version] = postgresVersion(identity.native);
  const dataDir = join(identity.place, "data");
  const cluster = { dataDir, version, password, logFile, identity };
  if (existsSync(dataDir)) assertSameMajor(dataDir, major);
  else {
    assertNoneAside(identity.place);
    await initialise(cluster, sync);
  }
  return cluster;
}

/**
 * The directory of the embedded server's Unix socket, which costs less than TCP; undefined where the
 * path of a socket in it would be too long: 104 bytes with its end on macOS, 108 on Linux (unix(7)). A
 * path with a comma would be two to libpq.
 */
export function socketDirectory({ identity }: Pick<Cluster, "identity">): string | undefined {
  const longest = join(identity.place, ".s.PGSQL.65535");
  const isUsable = Buffer.byteLength(longest) < 104 && !longest.includes(",");
  return isUsable ? identity.place : undefined;
}

/** Where PostgreSQL writes the id of its process: for the data, and for each socket. */
export function lockFiles({ identity, dataDir }: Cluster): string[] {
  const ofSockets = readdirSync(identity.place).filter((name) =>
    /^\.s\.PGSQL\.\d+\.lock$/.test(name),
  );
  return [join(dataDir, "postmaster.pid"), ...ofSockets.map((name) => join(identity.place, name))];
}

/** The same for a server that is thrown away: on data that initdb may have made for an earlier one. */
export async function openThrowawayCluster(home: string): Promise<Cluster> {
  const identity = chooseIdentity(findPostgres(), home);
  const [, version] = postgresVersion(identity.native);
  const kept = await unpackInitialData(identity, version);
  const password = kept ?? randomBytes(16).toString("hex");
  const cluster = await openCluster(home, password, join(home, "postgres.log"), false);
  if (kept === undefined) await packInitialData(identity, version, password);
  return cluster;
}

/** The URL of a database on the embedded server, as its superuser. */
export function embeddedUrl(password: string, port: number, database: string): string {
  return `postgres://postgres:${password}@${loopback}:${port}/${database}?sslmode=disable`;
}

/**
 * Starts the embedded server.
 *
 * @param extra Further settings, name to value; they win.
 * @param signal What ends it: SIGQUIT without a checkpoint, for data that is thrown away.
 */
export async function launchPostgres(
  cluster: Cluster,
  port: number,
  extra: Record<string, string> = {},
  signal: NodeJS.Signals = "SIGINT",
): Promise<Server> {
  const { identity, dataDir, logFile } = cluster;
  const directory = socketDirectory(cluster);
  // A home that was restored has only its data given to the user of PostgreSQL.
  if (directory !== undefined) give(directory, identity);
  const sockets = { unix_socket_directories: quoteDirectory(directory ?? "") };
  const settings = Object.entries({ ...serverSettings, ...sockets, ...extra, port: String(port) });
  const args = ["-D", dataDir, ...settings.map(([name, value]) => `--${name}=${value}`)];
  const place = { cwd: identity.place, logFile, env: cleanEnv() };
  return launch({ ...command(identity, "postgres", args), ...identity, ...place }, signal);
}

/**
 * Waits until the embedded server answers.
 *
 * @throws RowhouseError postgres_failed, with the last lines of its log, when it does not.
 */
export async function postgresReady(cluster: Cluster, port: number, server: Server): Promise<void> {
  // Recovery after a crash can take minutes; while it lasts, the server reports it (57P03).
  const tellRecovery = onceAfter(2000, () =>
    note(`PostgreSQL recovers the data in ${cluster.dataDir}, which can take minutes ...`),
  );
  const ask = () => server.end() ?? isReady(cluster, port, tellRecovery);
  const ready = await waitFor<true | string>(ask, 50, 600_000).catch(async (error) => {
    await server.stop();
    throw error;
  });
  if (ready === true) return;
  await server.stop();
  throw new RowhouseError(
    "postgres_failed",
    `PostgreSQL did not start: ${ready ?? "no answer within 10 minutes"}. The end of ${cluster.logFile}:\n${lastLines(cluster.logFile)}`,
    "See the log.",
  );
}

/** One directory in a list of them. */
function quoteDirectory(directory: string): string {
  return directory && `"${directory.replaceAll('"', '""')}"`;
}

/** Bodies and tokens come as parameters, and the detail of an error holds the row at fault: neither is logged. */
const serverSettings = {
  listen_addresses: loopback,
  log_line_prefix: "%m [%p] %a ",
  log_error_verbosity: "terse",
  log_parameter_max_length: "0",
  log_timezone: "UTC",
  timezone: "UTC",
};

function command(identity: Identity, program: string, args: string[]) {
  const [first = "", ...rest] = [
    ...identity.prefix,
    join(identity.native, "bin", program),
    ...args,
  ];
  return { command: first, args: rest };
}

/** libpq's and the server's own variables must not leak in from the user's shell. */
function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name)),
  );
}

/** Made aside and renamed when complete: a start that is interrupted leaves no half data directory. */
async function initialise(cluster: Cluster, sync: boolean): Promise<void> {
  const { identity, dataDir, password } = cluster;
  const draft = `${dataDir}.new`;
  const passwordFile = join(identity.place, "initdb-password");
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  give(passwordFile, identity);
  if (identity.uid !== undefined) give(identity.place, identity);
  const initdb = command(identity, "initdb", [
    `--pgdata=${draft}`,
    `--pwfile=${passwordFile}`,
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(sync ? [] : ["--no-sync"]),
  ]);
  try {
    const { uid, gid, place } = identity;
    const user = uid === undefined || gid === undefined ? {} : { uid, gid };
    await run(initdb.command, initdb.args, { ...user, cwd: place, env: cleanEnv() });
    renameSync(draft, dataDir);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw new RowhouseError(
      "postgres_failed",
      `Could not create the data directory ${dataDir}: ${errorMessage(error)}`,
      "Check the space on the disk and the rights on the folder.",
      { cause: error },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Calls something at the first asking after a time, in milliseconds, and only then. */
function onceAfter(ms: number, call: () => void): () => void {
  const from = performance.now() + ms;
  let done = false;
  return () => {
    if (done || performance.now() < from) return;
    done = true;
    call();
  };
}

async function isReady(
  cluster: Cluster,
  port: number,
  onRecovery: () => void,
): Promise<true | undefined> {
  const client = new pg.Client({
    connectionString: embeddedUrl(cluster.password, port, "postgres"),
  });
  client.on("error", () => {});
  try {
    await client.connect();
    // While it recovers, it may let readers in before it can be written to.
    const { rows } = await client.query<{ recovers: boolean }>(
      "select pg_is_in_recovery() as recovers",
    );
    await client.end();
    if (rows[0]?.recovers === false) return true;
    onRecovery();
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === "57P03") onRecovery();
    if (code === "ECONNREFUSED" || isConnectionLost(error)) return undefined;
    if (code === "28P01") throw otherPassword(cluster);
    throw error;
  }
}

function otherPassword({ dataDir }: Cluster): RowhouseError {
  return new RowhouseError(
    "database_refused",
    `The password in the home does not match the data in ${dataDir}.`,
    "Restore the file postgres-password that belongs to this data; or restore a backup, which sets the home's own: `npx rowhouse restore --to latest`.",
  );
}
