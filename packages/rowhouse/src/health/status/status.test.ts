import { expect, test } from "vitest";
import type { Status } from "./status.ts";
import { findProblems } from "./status.ts";

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
  signIn: { url: "http://127.0.0.1:3001/auth", answers: true },
  database: {
    shown: "postgres://localhost/app",
    running: true,
    postgres: "18.4",
    upSeconds: 60,
    bytes: 1,
    cacheHitRate: 1,
    maxConnections: 100,
    connections: [{ application: "psql", state: "idle", count: 89 }],
    hidden: false,
    pool: { size: 10, open: 10, busy: 9 },
    oldestTransactionSeconds: 300,
  },
  migrations: [{ version: "1", file: "1_one.sql", applied: true }],
  adoptable: undefined,
  copies: [],
};
const failed = { finishedAt: "2026-11-21T03:00:00Z", ok: false };
const dumped = {
  database: "postgres://one/app",
  lastBackup: "2026-11-21T03:00:00Z",
  drill: { ...failed, ok: true },
};
const at = (database: Partial<Status["database"]>) => ({
  ...well,
  database: { ...well.database, ...database },
});

test("A stack that is merely busy has no problems", () => {
  expect(findProblems(well)).toEqual([]);
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
    "The sign-in service does not answer at http://127.0.0.1:3001/auth.",
    { ...well, signIn: { url: "http://127.0.0.1:3001/auth", answers: false } },
  ],
  [
    "90 of 100 connections are taken.",
    at({ connections: [{ application: "x", state: "idle", count: 90 }] }),
  ],
  ["Every connection of the pool is busy.", at({ pool: { size: 10, open: 10, busy: 10 } })],
  ["A transaction has been open for 5 min.", at({ oldestTransactionSeconds: 301 })],
  [
    "The last drill of the embedded database failed: no backup is known to be good.",
    { ...well, copies: [dumped, { ...dumped, database: "the embedded database", drill: failed }] },
  ],
])("Status reports: %s", (problem, status) => {
  expect(findProblems(status)).toEqual([problem]);
});
