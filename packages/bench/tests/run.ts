import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

const packageRoot = join(import.meta.dirname, "..");

/** A folder for all temporary files of a run: what is left in it was not cleaned up. */
export function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What a run leaves of homes; tsx keeps a cache beside them. */
export const homes = (folder: string) =>
  readdirSync(folder).filter((name) => name.startsWith("rowhouse-bench-"));

/** Runs one of the programs of the package, to its end or not. */
export function createRunner(program: string) {
  const start = (args: readonly string[], folder: string): ChildProcess => {
    const child = spawn(process.execPath, ["--import", "tsx", program, ...args], {
      cwd: packageRoot,
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  const spawnWith = (args: readonly string[], folder: string) => {
    const child = start(args, folder);
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error("It was started without pipes.");
    return { stdout, stderr, child, ended: once(child, "exit").then(([code]) => code) };
  };
  const run = async (args: readonly string[], folder = newFolder()) => {
    const { stdout, stderr, ended } = spawnWith(args, folder);
    const [out, err, code] = await Promise.all([text(stdout), text(stderr), ended]);
    return { code, out, err };
  };
  return { run, spawnWith };
}
