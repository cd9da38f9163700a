import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../support/project.ts";

/** A row of docs/security.md or docs/reliability.md. */
interface Row {
  readonly id: number;
  /** Each as "`file` › name". */
  readonly tests: readonly string[];
}

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

function listRows(page: string): Row[] {
  return [...read(page).matchAll(/^\| (\d+) \|.*\| ([^|]*) \|$/gm)].map(([, id, cell = ""]) => ({
    id: Number(id),
    tests: cell.split("<br>"),
  }));
}

/** Whether a file has a test of that name: Vitest's with its template, or an assertion of pgTAP. */
function hasTest(file: string, name: string): boolean {
  if (!existsSync(join(projectRoot, file))) return false;
  const source = read(file);
  const quoted = ['"', "`", "'"].map((quote) => `${quote}${name}${quote}`);
  return quoted.some((text) => source.includes(text));
}

/** What is wrong with a test that a row names; undefined when it is there. */
function findFault(named: string): string | undefined {
  const [, file, name = ""] = /^`([\w/.-]+)` › (.+)$/.exec(named) ?? [];
  return file !== undefined && hasTest(file, name) ? undefined : named;
}

describe.each([
  ["docs/security.md", 43],
  ["docs/reliability.md", 22],
])("%s", (page, count) => {
  const rows = listRows(page);

  test("has each number once, in order", () => {
    expect(rows.map(({ id }) => id)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
  });

  test.each(rows)("ties row $id to tests that exist", ({ tests }) => {
    const faults = tests.map(findFault).filter((fault) => fault !== undefined);
    expect(faults).toEqual([]);
  });
});

test("A test that is not there is found", () => {
  const file = "packages/rowhouse/tests/docs/lists.test.ts";
  expect(findFault(`\`${file}\` › A test that is not there is found`)).toBeUndefined();
  for (const named of [`\`${file}\` › No such name`, "`no/such.test.ts` › x", ""]) {
    expect(findFault(named)).toBe(named);
  }
});
