import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { assertIntact, dataFiles, findDamage } from "./checksums.ts";
import type { Backup, Manifest } from "./manifest.ts";

const { signal } = new AbortController();
const names = Array.from({ length: 7 }, (_, index) => `file-${index}`);

let backup: Backup;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-backup-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const files = names.map((path) => {
    writeFileSync(join(dir, path), path);
    return { path, size: path.length, sha256: createHash("sha256").update(path).digest("hex") };
  });
  backup = {
    name: "20261121T030000Z",
    dir,
    manifest: { files, folders: [] } as unknown as Manifest,
  };
});

test("a backup as it was written has no damage", async () => {
  expect(await findDamage(backup, signal)).toEqual([]);
  await assertIntact(backup, signal);
});

test("each missing, shorter or changed file is named", async () => {
  rmSync(join(backup.dir, "file-0"));
  writeFileSync(join(backup.dir, "file-1"), "file");
  writeFileSync(join(backup.dir, "file-2"), "elif-2");
  expect(await findDamage(backup, signal)).toEqual([
    "file-0 is missing",
    "file-1 has 4 bytes, and had 6",
    "file-2 was changed: its checksum is another",
  ]);
});

test("a damaged backup is refused, naming five files at most", async () => {
  for (const name of names) rmSync(join(backup.dir, name));
  await expect(assertIntact(backup, signal)).rejects.toMatchObject({
    code: "backup_damaged",
    message: expect.stringMatching(/: file-0 is missing; .*; file-4 is missing; and 2 more\.$/),
  });
});

test("the data files are unpacked to their own names", () => {
  const files = ["data/base/1/2.gz", "data/PG_VERSION.gz", "catalog.json", "wal/1.gz"];
  const manifest = { files: files.map((path) => ({ path })) } as Manifest;
  expect(dataFiles({ ...backup, manifest })).toEqual([
    { from: "data/base/1/2.gz", to: "base/1/2" },
    { from: "data/PG_VERSION.gz", to: "PG_VERSION" },
  ]);
});
