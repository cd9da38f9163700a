import type { TestProject } from "vitest/node";
import "./context.ts";
import { startTestServer } from "./server.ts";

/**
 * Vitest's global setup: brings up the server under test, once a run, and tells the test files where it is.
 *
 * @returns What ends the server again.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  project.provide("serverUrl", server.url);
  project.provide("authenticatorPassword", server.authenticatorPassword);
  project.provide("template", server.template);
  project.provide("pgtapTemplate", server.pgtapTemplate);
  return server.stop;
}
