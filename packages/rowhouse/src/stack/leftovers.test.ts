import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { withTemporaryFolder } from "../lib/temporary.ts";
import { freeLockFile } from "./leftovers.ts";
import { identify, isSame } from "./process-identity.ts";

/** Starts a program of that name, whose parent does not collect it; resolves with its id. */
async function run(folder: string, name: string): Promise<number> {
  const program = join(folder, name);
  copyFileSync("/bin/sleep", program);
  const parent = spawn("sh", ["-c", '"$0" 600 & echo $!; exec sleep 600', program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(parent.stdout, "data");
  const pid = Number(line);
  // The child first: its id is its own for as long as its parent is there.
  onTestFinished(() => {
    process.kill(pid, "SIGKILL");
    parent.kill("SIGKILL");
  });
  // Until then both have the name of the shell, which may collect its children.
  const nameOf = (id?: number) => readFileSync(`/proc/${id}/comm`, "utf8").trim();
  await expect.poll(() => [nameOf(parent.pid), nameOf(pid)]).toEqual(["sleep", name]);
  return pid;
}

describe.runIf(process.platform === "linux")("a lock file of PostgreSQL", () => {
  const freed = (folder: string, pid: number) => {
    const file = join(folder, "postmaster.pid");
    writeFileSync(file, `${pid}\n/data\n`);
    freeLockFile(file);
    const [id, ...lines] = readFileSync(file, "utf8").split("\n");
    expect(lines).toEqual(["/data", ""]);
    return id !== String(pid);
  };

  test("of a server that runs is kept", () =>
    withTemporaryFolder("locks", async (folder) => {
      expect(freed(folder, await run(folder, "postgres"))).toBe(false);
    }));

  test("of a server that has ended and that nobody collects is freed", () =>
    withTemporaryFolder("locks", async (folder) => {
      const server = identify(await run(folder, "postgres"));
      process.kill(server.pid, "SIGKILL");
      await expect.poll(() => isSame(server)).toBe(false);
      expect(freed(folder, server.pid)).toBe(true);
    }));

  test("whose id another program has got is freed", () =>
    withTemporaryFolder("locks", async (folder) => {
      expect(freed(folder, await run(folder, "other"))).toBe(true);
    }));
});
