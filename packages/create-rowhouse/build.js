// Makes dist/, the command as JavaScript, and template/, the project that it writes: most of it is
// the top level of this repository, and the rest is in files/.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { packageJson, tsconfig } from "./starter.js";

const root = import.meta.dirname;
const repository = join(root, "../..");
const dist = join(root, "dist");
const template = join(root, "template");

/** What a project has as the repository has it. */
const copied = [
  ".env.example",
  "AGENTS.md",
  "client/database.types.ts",
  "client/index.ts",
  "compose",
  "db/migrations",
  "docker-compose.yml",
  "docs/access.md",
  "docs/access.svg",
  "policies",
  "postgrest.conf",
  "sql",
  "tests/database",
  "tests/http",
  "vitest.config.ts",
];

/** What `rowhouse upgrade` brings in step: see packages/rowhouse/build.js. */
const owned = ["compose", "postgrest.conf", "sql/private", "sql/request"];

buildCommand();
buildTemplate();

function buildCommand() {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  rmSync(dist, { recursive: true, force: true });
  execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
  chmodSync(join(dist, "main.js"), 0o755);
}

function buildTemplate() {
  rmSync(template, { recursive: true, force: true });
  for (const path of copied) copy(join(repository, path), path);
  for (const name of readdirSync(join(root, "files"))) copy(join(root, "files", name), name);
  write("package.json", packageJson());
  write("tsconfig.json", tsconfig());
  write("rowhouse.lock.json", lock());
}

/** Copies a file or folder; a leading dot becomes "dot-", since npm packs no .gitignore. */
function copy(from, path) {
  const to = join(template, dirname(path), basename(path).replace(/^\./, "dot-"));
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

function write(name, content) {
  writeFileSync(join(template, name), `${JSON.stringify(content, null, 2)}\n`);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** What the tool wrote, so that `rowhouse upgrade` can tell what the user changed. */
function lock() {
  const { version } = readJson(join(repository, "packages/rowhouse/package.json"));
  const paths = owned.flatMap((path) => filesOf(path)).sort();
  return {
    version,
    files: Object.fromEntries(
      paths.map((path) => [path, readFileSync(join(repository, path), "utf8")]),
    ),
  };
}

function filesOf(path) {
  const found = readdirSync(join(repository, dirname(path)), { withFileTypes: true });
  return found.find(({ name }) => name === basename(path))?.isDirectory()
    ? readdirSync(join(repository, path)).map((name) => `${path}/${name}`)
    : [path];
}
