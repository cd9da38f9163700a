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
  ["begin; create schema tests; commit; begin;\nselect plan(1);\nrollback;", false],
  ["create schema tests; begin;\nselect plan(1);\nrollback;", false],
  ["begin; select 1; rollback; -- once\nbegin; select 1; rollback;", true],
  [
    "set search_path = tap;\ncreate extension if not exists pgtap;\nbegin; select 1; rollback;",
    true,
  ],
  ["begin; savepoint one; rollback to one; select 1; rollback work;", true],
  ["begin; savepoint one; rollback to one;", false],
  [
    "begin; do $$ begin perform 1; end; $$; select 'a;commit;', $a$;end;$a$ /* ;commit; */; rollback;",
    true,
  ],
  ["begin; create function f() returns int begin atomic select 1; end; rollback;", true],
  ["begin; select e'it\\'s;', ';commit;', \"a;commit;\"; rollback;", true],
  ["", false],
])("whether %j leaves nothing behind is %s", (text, expected) => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-pgtap-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, "file.sql");
  writeFileSync(file, text);
  expect(leavesNothing(file)).toBe(expected);
});
