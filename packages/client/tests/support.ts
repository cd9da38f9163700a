import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export * from "rowhouse/testing";

/** The project that the tests run in: the top level of the repository. */
export const projectRoot = join(import.meta.dirname, "../../..");

/** A home that is not made yet; it ends with the test. */
export function newHome(): string {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-home-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "home");
}

/** Runs `rowhouse` in the project, to its end. */
export function rowhouse(
  args: readonly string[],
  env: NodeJS.Dict<string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { cwd: projectRoot, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(
      join(projectRoot, "node_modules/.bin/rowhouse"),
      args,
      options,
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
