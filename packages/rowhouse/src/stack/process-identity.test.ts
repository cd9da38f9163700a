import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { identify, isSame, readStartFromPs } from "./process-identity.ts";

const isLinux = process.platform === "linux";

test("a process is itself, and no other", async () => {
  const child = spawn("sleep", ["600"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const own = identify(process.pid);
  const other = identify(child.pid ?? 0);
  expect(isSame(own)).toBe(true);
  expect(isSame(other)).toBe(true);
  // Of Linux alone it is known to less than a second.
  if (isLinux) expect(isSame({ pid: process.pid, start: other.start })).toBe(false);
});

test.runIf(isLinux)("one of an earlier boot is another", () => {
  const { pid, start } = identify(process.pid);
  const earlier = `00000000-0000-4000-8000-000000000000 ${start?.split(" ")[1]}`;
  expect(isSame({ pid, start: earlier })).toBe(false);
});

test("one whose start is not known is none that runs", () => {
  expect(isSame({ pid: process.pid, start: null })).toBe(false);
});

test.runIf(isLinux)(
  "one that has ended is gone, also where its parent never collects it",
  async () => {
    const parent = spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const [line] = await once(parent.stdout, "data");
    // A shell may collect its children; once it has become a sleep, nobody does.
    const name = () => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim();
    await expect.poll(name).toBe("sleep");
    const child = identify(Number(line));
    expect(isSame(child)).toBe(true);
    process.kill(child.pid, "SIGKILL");
    await expect.poll(() => isSame(child)).toBe(false);
    // Until its parent ends, too, its id is not free.
    expect(process.kill(child.pid, 0)).toBe(true);
  },
);

// Not every container has ps; macOS does.
const hasPs = spawnSync("ps", ["-o", "lstart=", "-p", String(process.pid)]).status === 0;

test.runIf(hasPs)("ps knows when a process began, and nothing of one that is not there", () => {
  expect(Date.parse(`${readStartFromPs(process.pid)}`)).not.toBeNaN();
  expect(readStartFromPs(2 ** 30)).toBeNull();
});
