import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { projectRoot } from "../../cli/project.ts";
import { startTestServer } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A superuser's URL of the server under test, on its maintenance database. */
    serverUrl: string;
    authenticatorPassword: string;
    /** A migrated database, to be cloned. */
    template: string;
    /** The same with pgTAP in it. */
    pgtapTemplate: string;
    /** A home with a migrated database, to be copied. */
    home: string;
  }
}

/** Brings up the server under test, once a run, and tells the test files of it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [server, home] = await Promise.all([startTestServer(), makeHome()]);
  project.provide("serverUrl", server.url);
  project.provide("authenticatorPassword", server.authenticatorPassword);
  project.provide("template", server.template);
  project.provide("pgtapTemplate", server.pgtapTemplate);
  project.provide("home", home);
  return async () => {
    await server.stop();
    rmSync(home, { recursive: true });
  };
}

/** Most tests of the command need no first start: they copy this home and save a second each. */
async function makeHome(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "rowhouse-home-"));
  const env = { ...process.env, ROWHOUSE_HOME: home, DATABASE_URL: "" };
  await promisify(execFile)(process.execPath, ["cli/rowhouse.js", "migrate"], {
    cwd: projectRoot,
    env,
  });
  return home;
}
