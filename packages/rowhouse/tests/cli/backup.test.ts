import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { makeBackup } from "../../src/backup/backup.ts";
import type { Manifest } from "../../src/backup/manifest.ts";
import { takePhysical } from "../../src/backup/physical/physical.ts";
import { swap } from "../../src/backup/physical/restore.ts";
import { applyRetention } from "../../src/backup/retention.ts";
import { selectBackup } from "../../src/backup/select.ts";
import {
  beginDraft,
  findBackup,
  findNewestBackups,
  getArchiveDir,
  listBackups,
} from "../../src/backup/store.ts";
import { openHome } from "../../src/stack/home.ts";
import { pretendBackup } from "../support/backup.ts";
import { newHome } from "../support/cli.ts";

const stamp = (day: number) => `202611${String(day).padStart(2, "0")}T030000Z`;
const ended = (day: number) => ({
  finishedAt: `2026-11-${String(day).padStart(2, "0")}T03:00:00Z`,
});

/** A home with backups of the days of November that are given, and how each differs. */
function homeWith(backups: Record<number, Partial<Manifest>>) {
  const home = openHome(newHome());
  for (const [day, change] of Object.entries(backups)) {
    pretendBackup(home.dir, stamp(Number(day)), { ...ended(Number(day)), ...change });
  }
  const names = () => readdirSync(join(home.dir, "backups")).sort();
  return { home, names };
}

const dump = (source: string) => ({ kind: "dump", source }) as const;

describe("retention", () => {
  test("keeps what either rule keeps, and always the newest", () => {
    const recent = { finishedAt: new Date(Date.now() - 3_600_000).toISOString() };
    const { home, names } = homeWith({ 1: {}, 2: recent, 3: {}, 4: {} });
    const newest = findBackup(home, undefined);
    expect(applyRetention(home, newest, {})).toEqual([]);
    expect(applyRetention(home, newest, { keep: 2, keepDays: 1 })).toEqual([stamp(1)]);
    expect(applyRetention(home, newest, { keepDays: 1 })).toEqual([stamp(3)]);
    expect(names()).toEqual([stamp(2), stamp(4)]);
  });

  test("neither counts nor removes backups of another database", () => {
    const [one, other] = [dump("postgres://one/app"), dump("postgres://other/app")];
    const former = { systemIdentifier: "1" };
    const { home, names } = homeWith({ 1: {}, 2: former, 3: one, 4: other, 5: one, 6: one });
    expect(applyRetention(home, findBackup(home, undefined), { keep: 2 })).toEqual([stamp(3)]);
    expect(names()).toEqual([1, 2, 4, 5, 6].map(stamp));
  });

  test("neither counts nor removes a backup that cannot be read", () => {
    const { home, names } = homeWith({ 1: {}, 2: {}, 3: {}, 4: {} });
    writeFileSync(join(home.dir, "backups", stamp(3), "manifest.json"), "{");
    expect(applyRetention(home, findBackup(home, stamp(4)), { keep: 2 })).toEqual([stamp(1)]);
    expect(names()).toEqual([2, 3, 4].map(stamp));
  });
});

const segment = (number: number) => `00000001000000000000000${number}`;

test("Retention removes the WAL from before the oldest backup that stays, and no other", () => {
  const wal = (number: number) => ({ wal: [`wal/${segment(number)}.gz`] });
  const { home } = homeWith({ 1: wal(2), 2: wal(4), 3: wal(6) });
  const archive = getArchiveDir(home);
  mkdirSync(archive, { recursive: true });
  const kept = [
    "00000002.history.gz",
    ...[4, 5, 6, 7].map((number) => `${segment(number)}.gz`),
    `${segment(4)}.00000028.backup.gz`,
    `${segment(3)}.by-hand`,
  ];
  const gone = [2, 3].map((number) => `${segment(number)}.gz`);
  for (const name of [...kept, ...gone, `${segment(2)}.00000028.backup.gz`]) {
    writeFileSync(join(archive, name), "");
  }
  expect(applyRetention(home, findBackup(home, undefined), { keep: 2 })).toEqual([stamp(1)]);
  expect(readdirSync(archive).sort()).toEqual(kept.sort());
});

test("Data that cannot be swapped in leaves the previous data in place", () => {
  const data = join(newHome(), "data");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "mine"), "");
  expect(() => swap(`${data}.restoring`, data)).toThrow(/ENOENT/);
  expect(readdirSync(join(data, ".."))).toEqual(["data"]);
  expect(readdirSync(data)).toEqual(["mine"]);
});

describe("a backup that begins", () => {
  const begin = (dir: string) => beginDraft(openHome(dir), new Date("2026-11-21T03:00:00Z"));

  test("removes what killed ones left, and nothing else", () => {
    const home = newHome();
    const backups = join(home, "backups");
    mkdirSync(join(backups, "20261120T030000Z.part"), { recursive: true });
    writeFileSync(join(backups, "20261120T030000Z.part", "pid"), "999999999");
    mkdirSync(join(backups, "20261119T030000Z.part"));
    utimesSync(join(backups, "20261119T030000Z.part"), 0, 0);
    mkdirSync(join(backups, "20261118T030000Z.part"));
    mkdirSync(join(backups, "film.part"));
    utimesSync(join(backups, "film.part"), 0, 0);
    begin(home);
    expect(readdirSync(backups).sort()).toEqual([
      "20261118T030000Z.part",
      "20261121T030000Z.part",
      "film.part",
    ]);
  });

  test("gets a name of its own beside another one, and beside what is there", () => {
    const { home, names } = homeWith({ 21: {} });
    const [one, other] = [begin(home.dir), begin(home.dir)];
    writeFileSync(join(one.dir, "mine"), "");
    one.keep();
    other.discard();
    expect(names()).toEqual([stamp(21), `${stamp(21)}-2`]);
    expect(existsSync(join(home.dir, "backups", `${stamp(21)}-2`, "mine"))).toBe(true);
  });
});

test("A server that archives no WAL is not backed up, since its copy would be useless", async () => {
  const home = openHome(newHome());
  const progress = { report: () => {}, signal: new AbortController().signal };
  const made = makeBackup(home, progress, (draft) =>
    takePhysical(inject("serverUrl"), home, draft, progress),
  );
  await expect(made).rejects.toMatchObject({
    code: "backup_failed",
    message: expect.stringContaining("archived no WAL"),
  });
  expect(readdirSync(join(home.dir, "backups"))).toEqual([]);
});

describe("what is restored", () => {
  const moment = new Date("2026-11-20T12:00:00Z");

  test("is a dump into a URL and a copy into a home, whichever is newer", () => {
    const { home } = homeWith({ 18: {}, 19: dump("a"), 20: {}, 21: dump("a"), 22: {} });
    const nameOf = (...args: Parameters<typeof selectBackup>) => selectBackup(...args).name;
    expect(nameOf(home, undefined, undefined, "dump")).toBe(stamp(21));
    expect(nameOf(home, undefined, undefined, "physical")).toBe(stamp(22));
    expect(nameOf(home, undefined, moment, "physical")).toBe(stamp(20));
    expect(nameOf(home, stamp(18), moment, "physical")).toBe(stamp(18));
  });

  test("is refused for a time that no backup reaches", () => {
    const { home } = homeWith({ 20: dump("a"), 21: {} });
    const refused = (name: string | undefined, wanted: Date) => () =>
      selectBackup(home, name, wanted, "physical");
    expect(refused(undefined, moment)).toThrow(/before the end of every backup/);
    expect(refused(stamp(21), moment)).toThrow(/before the end of that backup/);
    expect(refused(undefined, new Date("2999-01-01"))).toThrow(/in the future/);
    rmSync(join(home.dir, "backups", stamp(21)), { recursive: true });
    expect(refused(undefined, moment)).toThrow(/needs a physical backup/);
  });
});

test.each([
  ["leads out of the backup", { files: [{ path: "data/../../x", size: 0, sha256: "" }] }],
  ["leads to the root", { folders: ["/etc"] }],
  ["has no time", { finishedAt: "yesterday" }],
])("A manifest that %s is none", (_, change) => {
  const { home } = homeWith({ 20: {}, 21: change });
  expect(listBackups(home).map(({ name }) => name)).toEqual([stamp(20)]);
  for (const find of [findBackup, findNewestBackups]) {
    expect(() => find(home, undefined)).toThrow(/manifest .* cannot be read/);
  }
});
