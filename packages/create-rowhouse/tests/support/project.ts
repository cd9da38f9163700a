import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import { type Outcome, run, succeed, type Variables } from "./run.ts";

/** An empty folder outside the repository, removed when the returned function is called. */
export function emptyFolder(): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-create-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Runs the packed create-rowhouse in a folder, offline, as `npm create rowhouse` does. */
export async function createRowhouse(
  args: readonly string[],
  cwd: string,
  variables: Variables = {},
  tarball = inject("tarballs").createRowhouse,
): Promise<Outcome> {
  const npm = ["exec", "--yes", "--offline", `--package=${tarball}`, "--", "create-rowhouse"];
  return run("npm", [...npm, ...args], cwd, variables);
}

/** Creates a project in a folder, and lets it install the packed packages. */
export async function createProject(
  parent: string,
  name = "my-app",
  tarballs = inject("tarballs"),
): Promise<string> {
  const { code, stdout, stderr } = await createRowhouse(
    [name],
    parent,
    {},
    tarballs.createRowhouse,
  );
  if (code !== 0) throw new Error(`create-rowhouse exited with ${code}:\n${stdout}\n${stderr}`);
  const project = join(parent, name);
  installFromTarballs(project, tarballs);
  return project;
}

/** Lets a project's package.json name the tarballs in place of a release in the registry. */
export function installFromTarballs(project: string, tarballs = inject("tarballs")): void {
  const file = join(project, "package.json");
  const content = JSON.parse(readFileSync(file, "utf8"));
  const { auth, client, rowhouse } = tarballs;
  content.dependencies = {
    "@rowhouse/auth": `file:${auth}`,
    "@rowhouse/client": `file:${client}`,
    rowhouse: `file:${rowhouse}`,
  };
  writeFileSync(file, JSON.stringify(content, null, 2));
}

/** The files below a folder, without what was installed, generated at run time, or kept by git. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((path) => !/(^|\/)(node_modules|\.rowhouse|\.git)(\/|$)/.test(path))
    .filter((path) => statSync(join(dir, path)).isFile())
    .sort();
}

/** Creates a project with npm and installs it. */
export async function installedProject(parent: string): Promise<string> {
  const project = await createProject(parent);
  await succeed("npm", ["install", "--no-audit", "--no-fund"], project);
  return project;
}
