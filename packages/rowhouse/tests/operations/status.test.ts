import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Status } from "../../src/health/status/status.ts";
import { pretendBackup } from "../support/backup.ts";
import { rowhouse, startStack } from "../support/cli.ts";

test("A DBA sees at a glance how a running stack is", async () => {
  const stack = await startStack({ DB_POOL: "3" });
  pretendBackup(stack.home, "20261120T030000Z", { finishedAt: "2026-11-20T03:00:00Z" });
  pretendBackup(stack.home, "20261121T030000Z", { finishedAt: "2026-11-21T03:00:00Z" });
  const damaged = pretendBackup(stack.home, "20261121T040000Z");
  writeFileSync(join(damaged, "manifest.json"), "{");

  const { stdout, code } = await rowhouse(["status", "--json"], stack.env);
  const status: Status = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(status).toMatchObject({
    api: { url: stack.url, answers: true, postgrest: expect.stringMatching(/^\d+\.\d+/) },
    database: { running: true, maxConnections: 100, pool: { size: 3, busy: 0 } },
    copies: [{ database: "the embedded database", lastBackup: "2026-11-21T03:00:00Z" }],
    problems: [],
  });
  expect(status.database.connections.map(({ application }) => application)).toContain("PostgREST");
  expect(Date.parse(status.api?.schemaLoadedAt ?? "")).toBeGreaterThan(Date.now() - 600_000);
  expect(Date.parse(status.startedAt ?? "")).toBeGreaterThan(Date.now() - 600_000);

  const finishedAt = "2026-11-21T04:00:00Z";
  const drill = { database: "the embedded database", finishedAt, ok: false };
  writeFileSync(join(stack.home, "drill.json"), JSON.stringify([drill]));
  const unwell = await rowhouse(["status"], stack.env);
  expect(unwell.code).toBe(1);
  expect(unwell.stdout).toContain("Wrong: The last drill of the embedded database failed");
});
