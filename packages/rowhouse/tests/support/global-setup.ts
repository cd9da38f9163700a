import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import startServer from "../../src/testing/global-setup.ts";
import { projectRoot, rowhouseCommand } from "./project.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A home with a migrated database, to be copied. */
    home: string;
  }
}

const run = promisify(execFile);

/** Builds the command as it stands, and brings up what the test files share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await run(process.execPath, [join(import.meta.dirname, "../../build.js")]);
  const [stop, home] = await Promise.all([startServer(project), makeHome()]);
  project.provide("home", home);
  return async () => {
    await stop();
    rmSync(home, { recursive: true });
  };
}

/** Most tests of the command need no first start: they copy this home and save a second each. */
async function makeHome(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "rowhouse-home-"));
  const env = { ...process.env, ROWHOUSE_HOME: home, DATABASE_URL: "" };
  await run(process.execPath, [rowhouseCommand, "migrate"], { cwd: projectRoot, env });
  return home;
}
