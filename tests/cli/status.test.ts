import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastSchemaLoad } from "../../cli/status/api.ts";
import { problemsOf } from "../../cli/status/problems.ts";
import type { Status } from "../../cli/status/status.ts";
import { newHome, rowhouse, startStack } from "../support/cli.ts";

test("A DBA sees at a glance how a running stack is", async () => {
  const stack = await startStack({ DB_POOL: "3" });
  mkdirSync(join(stack.home, "backups/older"), { recursive: true });
  mkdirSync(join(stack.home, "backups/newer"));
  mkdirSync(join(stack.home, "backups/unfinished"));
  const manifest = (name: string, finishedAt: string) =>
    writeFileSync(
      join(stack.home, "backups", name, "manifest.json"),
      JSON.stringify({ finishedAt }),
    );
  manifest("older", "2026-11-20T03:00:00Z");
  manifest("newer", "2026-11-21T03:00:00Z");
  writeFileSync(join(stack.home, "backups/unfinished/manifest.json"), "{");

  const { stdout, code } = await rowhouse(["status", "--json"], stack.env);
  const status: Status = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(status).toMatchObject({
    api: { url: stack.url, answers: true, postgrest: expect.stringMatching(/^\d+\.\d+/) },
    database: { running: true, maxConnections: 100, pool: { size: 3, busy: 0 } },
    lastBackup: "2026-11-21T03:00:00Z",
    problems: [],
  });
  expect(status.database.connections.map(({ application }) => application)).toContain("PostgREST");
  expect(Date.parse(status.api?.schemaLoadedAt ?? "")).toBeGreaterThan(Date.now() - 600_000);
  expect(Date.parse(status.startedAt ?? "")).toBeGreaterThan(Date.now() - 600_000);

  const finishedAt = "2026-11-21T04:00:00Z";
  writeFileSync(join(stack.home, "drill.json"), JSON.stringify({ finishedAt, ok: false }));
  const unwell = await rowhouse(["status"], stack.env);
  expect(unwell.code).toBe(1);
  expect(unwell.stdout).toContain("Wrong: The last drill failed");
});

const well: Omit<Status, "problems"> = {
  rowhouse: "0.1.0",
  home: "/home",
  startedAt: "2026-11-21T03:00:00Z",
  apiUrl: "http://127.0.0.1:3000",
  api: {
    url: "http://127.0.0.1:3000",
    answers: true,
    postgrest: "12.0.2",
    schemaLoadedAt: undefined,
  },
  database: {
    shown: "postgres://localhost/app",
    running: true,
    postgres: "18.4",
    upSeconds: 60,
    bytes: 1,
    cacheHitRate: 1,
    maxConnections: 100,
    connections: [{ application: "psql", state: "idle", count: 89 }],
    pool: { size: 10, open: 10, busy: 9 },
    oldestTransactionSeconds: 300,
  },
  migrations: [{ version: "1", file: "1_one.sql", applied: true }],
  lastBackup: undefined,
  drill: undefined,
};
const at = (database: Partial<Status["database"]>) => ({
  ...well,
  database: { ...well.database, ...database },
});

test("Nothing is wrong with a stack that is merely busy", () => {
  expect(problemsOf(well)).toEqual([]);
});

test.each<[string, Omit<Status, "problems">]>([
  [
    "1 of 1 migrations are pending.",
    { ...well, migrations: [{ version: "1", file: "1", applied: false }] },
  ],
  [
    "The API does not answer at http://127.0.0.1:3000.",
    {
      ...well,
      api: {
        url: "http://127.0.0.1:3000",
        answers: false,
        postgrest: undefined,
        schemaLoadedAt: undefined,
      },
    },
  ],
  [
    "90 of 100 connections are taken.",
    at({ connections: [{ application: "x", state: "idle", count: 90 }] }),
  ],
  ["Every connection of the pool is busy.", at({ pool: { size: 10, open: 10, busy: 10 } })],
  ["A transaction has been open for 5 min.", at({ oldestTransactionSeconds: 301 })],
])("Status tells: %s", (problem, status) => {
  expect(problemsOf(status)).toEqual([problem]);
});

test("The time of the last schema load is read from PostgREST's log, and unknown without one", () => {
  const home = newHome();
  mkdirSync(home);
  const log = join(home, "postgrest.log");
  expect(lastSchemaLoad(log)).toBeUndefined();
  writeFileSync(log, "Starting\n");
  expect(lastSchemaLoad(log)).toBeUndefined();
  // As 12.0.2 writes it, and as 12.2 does.
  for (const rest of ["Schema cache loaded", "Schema cache loaded in 17.1 milliseconds"]) {
    writeFileSync(
      log,
      `21/Nov/2026:05:00:00 +0000: ${rest}\n21/Nov/2026:06:20:54 +0100: ${rest}\n21/Nov/2026:07:00:00 +0000: Listening\n`,
    );
    expect(lastSchemaLoad(log)).toBe("2026-11-21T05:20:54.000Z");
  }
});
