import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { leavesNothing } from "./pgtap.ts";

test.each([
  ["begin;\nselect plan(1);\nrollback;\n", true],
  ["BEGIN; select 1;\nselect * from finish(); ROLLBACK; -- all of it\n\n-- the end", true],
  ["begin;\nselect plan(1);\ncommit;\n", false],
  ["create schema tests;", false],
  ["begin; rollback;\ncreate schema tests;", false],
  ["", false],
])("whether %j leaves nothing behind is %s", (text, expected) => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-pgtap-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "file.sql");
  writeFileSync(file, text);
  expect(leavesNothing(file)).toBe(expected);
});
