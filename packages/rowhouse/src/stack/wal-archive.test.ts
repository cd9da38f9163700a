import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { archiveSettings, getWalDir, restoreCommand } from "./wal-archive.ts";

let place: string;

beforeEach(() => {
  place = join(mkdtempSync(join(tmpdir(), "rowhouse-wal-")), "it's 100 %");
  onTestFinished(() => rmSync(join(place, ".."), { recursive: true }));
  mkdirSync(place);
  writeFileSync(join(place, "0001"), "first");
});

/** Runs a command as the server does; returns its exit code. */
function run(command: string, path: string): number {
  const replaced = command.replace(/%(.)/g, (_, letter) =>
    letter === "%" ? "%" : letter === "f" ? "0001" : path,
  );
  try {
    execFileSync("sh", ["-c", replaced], { cwd: place });
    return 0;
  } catch (error) {
    return Number((error as { status: number }).status);
  }
}

const archive = () => run(archiveSettings(place).archive_command ?? "", "0001");

test("nothing is archived before the first backup creates the folder", () => {
  expect(archive()).toBe(0);
  expect(existsSync(getWalDir(place))).toBe(false);
});

test("a segment is archived once, again when it is the same, and never overwritten", () => {
  mkdirSync(getWalDir(place));
  expect(archive()).toBe(0);
  expect(archive()).toBe(0);
  writeFileSync(join(place, "0001"), "other");
  expect(archive()).not.toBe(0);
  const archived = readFileSync(join(getWalDir(place), "0001.gz"));
  expect(gunzipSync(archived).toString()).toBe("first");
});

test("a segment is restored, compressed or not, and a missing one is an error", () => {
  const restore = () => run(restoreCommand(getWalDir(place)), "restored");
  mkdirSync(getWalDir(place));
  expect(restore()).not.toBe(0);
  writeFileSync(join(getWalDir(place), "0001"), "plain");
  expect(restore()).toBe(0);
  expect(readFileSync(join(place, "restored"), "utf8")).toBe("plain");
  archive();
  expect(restore()).toBe(0);
  expect(readFileSync(join(place, "restored"), "utf8")).toBe("first");
});
