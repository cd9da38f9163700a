import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { freePort } from "../database.ts";
import type { Caller } from "./actions.ts";
import type { BenchDatabase } from "./database.ts";
import type { PeerName } from "./names.ts";
import { readEnvironment } from "./processes.ts";

/** A server that the benchmark has started. */
export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const folder = join(import.meta.dirname, "../../peers");
const run = promisify(execFile);

/** Whether the peers are installed. */
export function hasPeers(): boolean {
  return existsSync(join(folder, "node_modules/.prisma/client/query_compiler_fast_bg.wasm"));
}

/** Installs the peers by their lock file, and has Prisma write its client. */
export async function installPeers(signal: AbortSignal): Promise<void> {
  // Prisma loads an engine for migrations from elsewhere, unless it has one: none is used here.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
  await run("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], { env, signal });
  const prisma = join(folder, "node_modules/.bin/prisma");
  await run(prisma, ["generate", "--schema", join(folder, "schema.prisma")], {
    env,
    signal,
    cwd: folder,
  });
}

/** Starts one of the servers in packages/bench/peers. */
export async function startPeer(name: PeerName, database: BenchDatabase): Promise<BenchServer> {
  const { settings, logins } = database;
  // PostGraphile 5 needs Node.js 22.
  const node =
    name === "postgraphile-rls" ? join(folder, "node_modules/node/bin/node") : process.execPath;
  const child = spawn(node, [join(folder, `${name}.js`)], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: "production",
      JWT_SECRET: settings.jwtSecret,
      JWT_AUD: settings.jwtAud,
      JWT_ISS: settings.jwtIss,
      ...(name === "fastify" ? logins.all : logins.rls),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await readPort(name, child);
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function readPort(name: string, child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("It was started without a pipe.");
  for await (const line of createInterface(child.stdout)) {
    const port = /^listening on (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`${name} did not start.`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Starts the PostgREST of the stack a second time, with neither the policies nor the check. */
export async function startBare({ pids, settings }: BenchDatabase): Promise<BenchServer> {
  const port = await freePort();
  const { PGRST_ADMIN_SERVER_PORT: _, ...environment } = readEnvironment(pids.postgrest);
  const child = spawn(
    readlinkSync(`/proc/${pids.postgrest}/exe`),
    [settings.project.postgrestConf],
    {
      env: { ...environment, PGRST_SERVER_PORT: String(port), PGRST_DB_PRE_REQUEST: "" },
      stdio: ["ignore", "ignore", "ignore"],
    },
  );
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error("PostgREST without the check did not start.");
  }
  return { url, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    return false;
  }
}

/** A caller's token for the role that no policy holds for. */
export function signBare({ settings }: BenchDatabase, caller: Caller): string {
  const [header, payload = ""] = caller.token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const body = Buffer.from(JSON.stringify({ ...claims, role: "bench_all" })).toString("base64url");
  const signature = createHmac("sha256", settings.jwtSecret ?? "")
    .update(`${header}.${body}`)
    .digest("base64url");
  return `${header}.${body}.${signature}`;
}
