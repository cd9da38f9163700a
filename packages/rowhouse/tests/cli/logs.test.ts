import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { rotateLog, rotateLogs } from "../../src/stack/log-files.ts";
import { launch } from "../../src/stack/process.ts";
import { createProcessGroup } from "../../src/stack/process-group.ts";
import { newHome } from "../support/cli.ts";

/** A folder for a log of its own. */
function newLog(): { dir: string; log: string } {
  const dir = newHome();
  mkdirSync(dir);
  return { dir, log: join(dir, "server.log") };
}

test("A server whose log is put aside goes on writing at the beginning of a new one", async () => {
  const { dir, log } = newLog();
  const script = "echo first; until test -e go; do sleep 0.01; done; echo second";
  const server = await launch(
    { command: "sh", args: ["-c", script], cwd: dir, logFile: log },
    "SIGTERM",
  );
  await expect.poll(() => readFileSync(log, "utf8")).toBe("first\n");
  rotateLog(log, 100);
  expect(existsSync(`${log}.1`)).toBe(false);
  rotateLog(log, 3);
  writeFileSync(join(dir, "go"), "");
  await server.ended;
  expect(readFileSync(`${log}.1`, "utf8")).toBe("first\n");
  expect(readFileSync(log, "utf8")).toBe("second\n");
  expect(statSync(`${log}.1`).mode & 0o077).toBe(0);
});

const grow = (log: string) => {
  writeFileSync(log, "");
  truncateSync(log, 10_000_001);
};

test("A log that is large when its server starts, or becomes so, is put aside", async () => {
  const { log } = newLog();
  grow(log);
  await (await launch({ command: "true", args: [], logFile: log }, "SIGTERM")).ended;
  expect([statSync(log).size, statSync(`${log}.1`).size]).toEqual([0, 10_000_001]);
  grow(log);
  const end = rotateLogs(() => ["/nowhere/server.log", log], 5);
  await expect.poll(() => statSync(log).size).toBe(0);
  end();
});

test("A stack that runs for months keeps its logs small", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { log } = newLog();
  const group = createProcessGroup({ update: () => {}, release: async () => {} }, () => {});
  await group.add({
    name: "Sleep",
    program: "sleep",
    launch: () => launch({ command: "sleep", args: ["60"], logFile: log }, "SIGTERM"),
    ready: async () => {},
    logFile: log,
    failure: "postgres_failed",
  });
  grow(log);
  vi.advanceTimersByTime(60_000);
  expect(statSync(log).size).toBe(0);
  await group.stop();
});
