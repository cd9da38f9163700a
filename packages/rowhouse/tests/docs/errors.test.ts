import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../support/project.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const page = read("docs/errors.md");

test("docs/errors.md lists every code of the command, and no other", () => {
  const source = read("packages/rowhouse/src/lib/errors.ts");
  const codes = [...source.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code);
  const listed = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(listed.sort()).toEqual(codes.sort());
});

test("docs/errors.md lists every detail that the database raises", () => {
  const sql = ["sql", "packages/rowhouse/src/schema/new-table", "examples/teams/sql"]
    .flatMap((dir) =>
      readdirSync(join(projectRoot, dir), { recursive: true, encoding: "utf8" }).map((file) =>
        join(dir, file),
      ),
    )
    .filter((file) => file.endsWith(".sql") && !file.endsWith("test.sql"))
    .map(read)
    .join("\n");
  const details = [...sql.matchAll(/(?:detail = |then )'(\w+)'/g)].map(([, detail]) => detail);
  expect(details.length).toBeGreaterThan(8);
  for (const detail of details) expect(page).toContain(`\`${detail}\``);
});

test("docs/errors.md lists every code and detail that the edge answers with", () => {
  const edge = read("compose/haproxy.cfg");
  const words = [...edge.matchAll(/"(?:code|details)":"(\w+)"/g)].map(([, word]) => word);
  expect(new Set(words).size).toBeGreaterThan(20);
  for (const word of words) expect(page).toContain(`\`${word}\``);
});

test("docs/errors.md lists every class that the client throws", () => {
  const classes = [...read("packages/client/src/errors.ts").matchAll(/^export class (\w+)/gm)].map(
    ([, name]) => name,
  );
  const listed = new Set([...page.matchAll(/^\| `(\w+Error)` \|/gm)].map(([, name]) => name));
  expect([...listed].sort()).toEqual(classes.sort());
});
