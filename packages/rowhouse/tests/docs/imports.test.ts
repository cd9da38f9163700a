import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../support/project.ts";

/** A relative import, both ends as paths from the top of the repository. */
interface Import {
  readonly from: string;
  readonly to: string;
}

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

const ignored = new Set(["node_modules", "dist"]);

/** The TypeScript files below a folder; none when there is no such folder. */
function listSources(dir: string): string[] {
  if (!existsSync(join(projectRoot, dir))) return [];
  const files = readdirSync(join(projectRoot, dir), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => /\.tsx?$/.test(file) && !file.split(sep).some((part) => ignored.has(part)))
    .map((file) => join(dir, file));
}

/** Every relative import below a folder, of values and of types, dynamic ones included. */
function listImports(dir: string): Import[] {
  return listSources(dir).flatMap((from) =>
    [...read(from).matchAll(/\b(?:from |import |import\()"(\.[^"]+)"/g)].map(([, path = ""]) => ({
      from,
      to: normalize(join(dirname(from), path)),
    })),
  );
}

/** The first circle of imports that is found, as a path that ends where it begins. */
function findCircle(imports: readonly Import[]): readonly string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    for (const to of targets.get(file) ?? []) {
      const circle = visit(to, [...path, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const circle = visit(file, []);
    if (circle) return circle;
  }
  return undefined;
}

const packages = readdirSync(join(projectRoot, "packages")).map((name) => `packages/${name}`);
const source = "packages/rowhouse/src";

/** The folders of the tool, in the rows of CONTRIBUTING.md: the top row imports the others. */
const rows = [...read("CONTRIBUTING.md").matchAll(/^\| (`src\/.*?) \|.*$/gm)].map(([, cell = ""]) =>
  [...cell.matchAll(/`src\/(\w+)\/`/g)].map(([, folder = ""]) => folder),
);

/** The folder of the tool that a file is in; undefined for main.ts, program.ts and index.ts. */
function folderOf(file: string): string | undefined {
  const [folder, ...rest] = file.slice(source.length + 1).split("/");
  return rest.length > 0 ? folder : undefined;
}

/** The row of a file: main.ts, program.ts and index.ts stand above all. */
function rowOf(file: string): number {
  return rows.findIndex((folders) => folders.includes(folderOf(file) ?? ""));
}

describe("A reader of CONTRIBUTING.md", () => {
  test("finds every folder of the tool in its table", () => {
    const entries = readdirSync(join(projectRoot, source), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(rows.flat().sort()).toEqual(folders.sort());
  });

  test("can rely on imports to run down the table, and never across a row", () => {
    // A unit test may also use what the end-to-end tests share.
    const imports = listImports(source).filter(({ from }) => !from.endsWith(".test.ts"));
    expect(imports.length).toBeGreaterThan(300);
    const wrong = imports.filter(
      ({ from, to }) => folderOf(from) !== folderOf(to) && rowOf(from) >= rowOf(to),
    );
    expect(wrong).toEqual([]);
  });
});

describe("A module", () => {
  test.each(packages)("of %s is in no circle of imports", (dir) => {
    expect(findCircle(listImports(`${dir}/src`))).toBeUndefined();
  });

  test("that imports itself through others is found", () => {
    const chain = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "b", to: "d" },
      { from: "d", to: "b" },
    ];
    expect(findCircle(chain)).toEqual(["b", "d", "b"]);
    expect(findCircle(chain.slice(0, 3))).toBeUndefined();
  });

  test.each(packages)("of %s imports nothing outside of its package", (dir) => {
    const outside = listImports(dir).filter(({ to }) => !to.startsWith(`${dir}/`));
    // The client's end-to-end tests and the benchmark are about the project's binding of it, which is
    // no package.
    const binding = ({ from, to }: Import) =>
      /^packages\/(client\/tests|bench\/src)\//.test(from) && to === "client/index.ts";
    expect(outside.filter((one) => !binding(one))).toEqual([]);
  });

  test.each(["client", "examples", "tests"])("in %s imports packages by their names", (dir) => {
    expect(listImports(dir).filter(({ to }) => to.startsWith("packages/"))).toEqual([]);
  });
});
