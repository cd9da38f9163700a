import { expect, test } from "vitest";
import type { Backup, Manifest } from "../manifest.ts";
import { recoverySettings } from "./target.ts";

const manifest = { timeline: 2, restorePoint: "rowhouse 20261121T030000Z" } as Manifest;
const backup: Backup = { name: "20261121T030000Z", dir: "/backups", manifest };

test("the end of a backup is its restore point, on the backup's own timeline", () => {
  expect(recoverySettings({ kind: "point" }, backup)).toEqual({
    recovery_target_timeline: "2",
    recovery_target_action: "promote",
    recovery_target_name: "rowhouse 20261121T030000Z",
  });
});

test("a time is given in UTC, with its milliseconds", () => {
  const time = new Date("2026-11-21T04:00:00.5+01:00");
  expect(recoverySettings({ kind: "time", time, timeline: 3 }, backup)).toEqual({
    recovery_target_timeline: "3",
    recovery_target_action: "promote",
    recovery_target_time: "2026-11-21 03:00:00.500+00",
  });
});

test("the end of the WAL has no target", () => {
  expect(recoverySettings({ kind: "latest", timeline: 4 }, backup)).toEqual({
    recovery_target_timeline: "4",
    recovery_target_action: "promote",
  });
});
