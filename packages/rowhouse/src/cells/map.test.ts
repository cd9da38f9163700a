import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPlace, writePlace } from "./map.ts";

/** A map file that ends with the test. */
function newMap(more = ""): string {
  const file = join(mkdtempSync(join(tmpdir(), "rowhouse-map-")), "cells.map");
  onTestFinished(() => rmSync(dirname(file), { recursive: true }));
  const buckets = Array.from({ length: 1024 }, (_, i) => `bucket/${i} a\n`);
  writeFileSync(file, `# Ours\n${buckets.join("")}${more}`);
  return file;
}

test("What another command writes while this one waits is kept", async () => {
  const file = newMap();
  const draft = `${file}.new`;
  writeFileSync(draft, "");
  const written = writePlace(file, "mine", "b");
  writeFileSync(file, `${readFileSync(file, "utf8")}user/other b\n`);
  rmSync(draft);
  await written;
  expect(findPlace(file, "mine")).toEqual({ cell: "b", moving: false, home: "a", entry: "b" });
  expect(findPlace(file, "other").cell).toBe("b");
});

test("A user's line is written and taken out, and all else stays: comments, rights and a link", async () => {
  const file = newMap();
  const before = readFileSync(file, "utf8");
  chmodSync(file, 0o646);
  const link = join(dirname(file), "link.map");
  symlinkSync(file, link);
  await writePlace(link, "x", "b:moving");
  expect(readFileSync(file, "utf8")).toBe(`${before}user/x b:moving\n`);
  expect(findPlace(link, "x")).toMatchObject({ cell: "b", moving: true });
  expect(statSync(file).mode & 0o777).toBe(0o646);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  await writePlace(link, "x", undefined);
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("Lines are read as HAProxy reads them, and two for one key are refused", () => {
  expect(findPlace(newMap("  user/x\tb\r\n"), "x")).toMatchObject({ cell: "b", entry: "b" });
  const twice = newMap("user/x b\nuser/x a\n");
  expect(() => findPlace(twice, "x")).toThrow(/more than one line for user\/x/);
});
