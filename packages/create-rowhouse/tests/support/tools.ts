import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import { run } from "./run.ts";

/**
 * Installs other versions of Node.js and of package managers, as npm packages: "node@22", "npm@10".
 * Each set is installed once a run.
 *
 * @returns The PATH that has them first; undefined when the registry has no such version.
 */
export async function pathWith(...specs: readonly string[]): Promise<string | undefined> {
  const folders: string[] = [];
  for (const spec of specs) {
    const folder = await installTool(spec);
    if (folder === undefined) return undefined;
    folders.push(folder);
  }
  return [...folders, process.env.PATH].join(delimiter);
}

async function installTool(spec: string): Promise<string | undefined> {
  const dir = join(inject("toolsDir"), spec);
  const bin = join(dir, "node_modules/.bin");
  if (existsSync(bin)) return bin;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify({ private: true }));
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", spec];
  const { code, stdout, stderr } = await run("npm", args, dir);
  if (code === 0) return bin;
  if (/ETARGET|E404/.test(stderr)) return undefined;
  throw new Error(`Cannot install ${spec}:\n${stdout}\n${stderr}`);
}
