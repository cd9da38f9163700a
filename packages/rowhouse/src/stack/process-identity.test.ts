import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { identify, isSame } from "./process-identity.ts";

test.runIf(process.platform === "linux")("a process is itself, and no other", async () => {
  const child = spawn("sleep", ["600"]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  const own = identify(process.pid);
  const other = identify(child.pid ?? 0);
  expect(isSame(own)).toBe(true);
  expect(isSame(other)).toBe(true);
  expect(isSame({ pid: process.pid, start: other.start })).toBe(false);
});

test.runIf(process.platform === "linux")("one of an earlier boot is another", () => {
  const { pid, start } = identify(process.pid);
  const earlier = `00000000-0000-4000-8000-000000000000 ${start?.split(" ")[1]}`;
  expect(isSame({ pid, start: earlier })).toBe(false);
});

test("without a known start the id decides", () => {
  expect(isSame({ pid: process.pid, start: null })).toBe(true);
});
