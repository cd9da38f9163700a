import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../support/project.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

/** Each import below a folder, as "cli/dev/dev.ts -> cli/stack/stack.ts". */
function importsBelow(dir: string): { from: string; to: string }[] {
  const files = readdirSync(join(projectRoot, dir), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .map((file) => join(dir, file))
    .flatMap((from) =>
      [...read(from).matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map(([, path = ""]) => ({
        from,
        to: normalize(join(dirname(from), path)),
      })),
    );
}

/** The folders of the command, in the rows of CONTRIBUTING.md, from above. */
const rows = [...read("CONTRIBUTING.md").matchAll(/^\| (`cli\/.*) \|.*$/gm)].map(([, cell = ""]) =>
  [...cell.matchAll(/`(cli\/\w+\/)`/g)].map(([, folder = ""]) => folder),
);

/** From above: main.ts, the rows, and what lies in cli/ itself for all of them. */
function placeOf(file: string): number {
  if (file === "cli/main.ts") return -1;
  const row = rows.findIndex((folders) => folders.some((folder) => file.startsWith(folder)));
  return row < 0 ? rows.length : row;
}

describe("A reader of CONTRIBUTING.md", () => {
  test("finds every folder of the command in its list", () => {
    const folders = readdirSync(join(projectRoot, "cli"), { withFileTypes: true });
    const there = folders.filter((one) => one.isDirectory()).map(({ name }) => `cli/${name}/`);
    expect(rows.flat().sort()).toEqual(there.sort());
  });

  test("can rely on it that imports run down the list", () => {
    const imports = importsBelow("cli");
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.filter(({ from, to }) => placeOf(from) > placeOf(to))).toEqual([]);
  });

  test("can rely on it that nothing but tests imports tests, and the client nothing else", () => {
    const wrong = ["cli", "client", "packages/client/src", "examples"].flatMap(importsBelow).filter(
      ({ from, to }) =>
        to.startsWith("tests/") ||
        // What runs the command is above all of it; the client stands alone.
        (from.startsWith("cli/") && !to.startsWith("cli/")) ||
        (from.startsWith("client/") && !to.startsWith("client/")) ||
        (from.startsWith("packages/client/") && !to.startsWith("packages/client/src/")),
    );
    expect(wrong).toEqual([]);
  });
});
