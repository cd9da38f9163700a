import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The folder of the package. */
export const packageRoot = join(import.meta.dirname, "..");

/** A folder with these files in the package, where its sources have its name; it ends with the test. */
export function writeFiles(files: Readonly<Record<string, string>>): string {
  const cache = join(packageRoot, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "test-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

/**
 * Compiles the files of a folder, as strictly as the package.
 *
 * @returns What tsc prints: nothing when all is well.
 */
export function compile(dir: string): string {
  const config = { extends: join(packageRoot, "tsconfig.json"), include: ["*.ts"] };
  writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(packageRoot, "../../node_modules/.bin/tsc");
  try {
    return execFileSync(tsc, ["--noEmit", "-p", dir], { encoding: "utf8" });
  } catch (error) {
    return error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
  }
}
