import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { freePort } from "../database.ts";
import type { BenchDatabase } from "./database.ts";
import { type Spread, summarize } from "./statistics.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../../..");
const rowhouse = join(root, "node_modules/.bin/rowhouse");
const times = 5;

/** What a new project has beside the packages. */
const alsoInstalled = ["@types/node", "typescript", "vitest"];

/** The commands, as they are typed; those that write are asked to check what is there. */
const commands = [
  "--version",
  "token user0@example.com",
  "why select tasks --as user0@example.com",
  "status",
  "types --check",
  "access --check",
  "lint",
  "db check",
  "doctor",
];

/** How long the commands take while the stack runs, and a start in its home; in seconds. */
export async function measureCommands(
  { settings }: BenchDatabase,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<Record<string, Spread>> {
  const env = {
    ...process.env,
    AUTH: "off",
    ROWHOUSE_HOME: settings.home,
    JWT_SECRET: settings.jwtSecret,
  };
  const results: Record<string, Spread> = {};
  for (const command of commands) {
    report(`measuring rowhouse ${command}`);
    results[command] = await repeat(signal, () => runCommand(command.split(" "), env, signal));
  }
  results["node alone"] = await repeat(signal, async () => {
    await run(process.execPath, ["-e", ""], { signal });
  });
  report("measuring a warm start");
  const home = mkdtempSync(join(tmpdir(), "rowhouse-bench-home-"));
  try {
    const own = { ...env, ROWHOUSE_HOME: home, API_PORT: String(await freePort()) };
    await startOnce(own);
    results["start, warm"] = summarize(await collect(signal, () => startOnce(own)));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return results;
}

/** Its exit code says what it found, and that is no matter here. */
async function runCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  try {
    await run(rowhouse, args, { cwd: root, env, signal });
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as { code?: unknown };
    if (code !== 1 && code !== 2) throw error;
  }
}

async function repeat(signal: AbortSignal, work: () => Promise<void>): Promise<Spread> {
  const measured = await collect(signal, async () => {
    const from = performance.now();
    await work();
    return (performance.now() - from) / 1000;
  });
  return summarize(measured);
}

async function collect(signal: AbortSignal, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let at = 0; at < times; at += 1) {
    signal.throwIfAborted();
    values.push(await measure());
  }
  return values;
}

/** Starts the stack, and ends it; the seconds until it serves. */
async function startOnce(env: NodeJS.ProcessEnv): Promise<number> {
  const from = performance.now();
  const child = spawn(rowhouse, ["start"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let seconds = Number.NaN;
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith("Rowhouse is ready")) continue;
    seconds = (performance.now() - from) / 1000;
    child.kill("SIGINT");
  }
  await ended;
  if (Number.isNaN(seconds)) throw new Error("The stack did not start.");
  return seconds;
}

/** The size of node_modules where the packages are installed, as they are published, in MB. */
export async function measureInstall(
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  report("installing the packages, to see their size");
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-bench-install-"));
  try {
    const tarballs: string[] = [];
    for (const name of ["rowhouse", "client", "auth"]) {
      const cwd = join(root, "packages", name);
      const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", dir], {
        cwd,
        signal,
      });
      tarballs.push(join(dir, stdout.trim()));
    }
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const others = alsoInstalled.map((name) => `${name}@${devDependencies[name]}`);
    const args = ["install", "--prefix", dir, "--no-audit", "--no-fund", "--prefer-offline"];
    await run("npm", [...args, ...tarballs, ...others], { cwd: dir, signal });
    const { stdout } = await run("du", ["-sk", join(dir, "node_modules")], { signal });
    return Math.round(Number.parseInt(stdout, 10) / 1000);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
