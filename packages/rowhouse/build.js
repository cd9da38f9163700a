// Makes dist/: the sources as JavaScript with their types, and beside them what they read at run time.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageJson, tsconfig } from "../create-rowhouse/starter.js";

const root = import.meta.dirname;
const dist = join(root, "dist");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
cpSync(join(root, "src"), dist, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || /\.(sql|sh)$/.test(path),
});
chmodSync(join(dist, "main.js"), 0o755);

// What the tool owns in a project: `rowhouse upgrade` brings a project's copies in step with these.
for (const path of ["sql/request", "sql/private", "compose", "postgrest.conf"]) {
  cpSync(join(root, "../..", path), join(dist, "owned", path), { recursive: true });
}

// What `rowhouse init` writes beside what it reads from a database; npm packs no .gitignore.
const starter = join(dist, "starter");
mkdirSync(join(starter, "client"), { recursive: true });
for (const [from, to] of [
  ["client/index.ts", "client/index.ts"],
  [".env.example", "dot-env.example"],
  ["packages/create-rowhouse/files/.gitignore", "dot-gitignore"],
  ["vitest.config.ts", "vitest.config.ts"],
  ["packages/create-rowhouse/files/pnpm-workspace.yaml", "pnpm-workspace.yaml"],
]) {
  cpSync(join(root, "../..", from), join(starter, to));
}
for (const [name, content] of [
  ["package.json", packageJson()],
  ["tsconfig.json", tsconfig()],
]) {
  writeFileSync(join(starter, name), `${JSON.stringify(content, null, 2)}\n`);
}
