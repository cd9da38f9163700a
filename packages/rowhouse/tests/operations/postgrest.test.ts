import { mkdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readApi } from "../../src/health/status/api.ts";
import { loopback } from "../../src/stack/ports.ts";
import { postgrestReady } from "../../src/stack/postgrest.ts";
import { launch } from "../../src/stack/process.ts";
import { backUp, inHome, listFaults, runDrill } from "../support/backup.ts";
import { newHome } from "../support/cli.ts";

test("a PostgREST that takes the question whether it is ready, and says nothing, is not waited for without end", async () => {
  const dir = newHome();
  mkdirSync(dir);
  // As PostgREST does for minutes while it tries to reach its database again.
  const silent = createServer(() => {}).listen(0, loopback);
  onTestFinished(() => void silent.close());
  await expect.poll(() => silent.listening).toBe(true);
  const { port: adminPort } = silent.address() as AddressInfo;
  const logFile = join(dir, "postgrest.log");
  const server = await launch({ command: "sleep", args: ["1"], logFile }, "SIGTERM");
  await expect(postgrestReady({ adminPort, logFile }, server)).rejects.toMatchObject({
    code: "postgrest_failed",
    message: expect.stringContaining("exit code 0"),
  });
  expect(await readApi(`http://${loopback}:${adminPort}`, logFile)).toMatchObject({
    answers: false,
  });
}, 20_000);

test("a drill of a database that was never migrated fails, and ends", async () => {
  const home = newHome();
  await inHome(home, async () => {});
  await backUp(home);
  const drill = await runDrill(home);
  expect(drill.code).toBe(1);
  expect(listFaults(drill)).toEqual([
    expect.stringMatching(/^access: PostgREST did not start: not ready within 20 s/),
  ]);
}, 120_000);
