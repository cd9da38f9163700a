import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "rowhouse/testing";
import type { TestProject } from "vitest/node";
import { findChromium } from "./chromium.ts";
import { launchExample } from "./example.ts";
import { startProvider } from "./provider.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The program that drives the pages. */
    chromium: string;
    /** Where the example is served: "http://127.0.0.1:5173/". */
    pageUrl: string;
    apiUrl: string;
    authUrl: string;
    /** The home of the stack under the example. */
    exampleHome: string;
  }
}

/** Starts the example on an empty home, once a run, with a provider to sign in at. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide("chromium", findChromium());
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-browser-"));
  const authPort = String(await freePort());
  const provider = await startProvider(`http://127.0.0.1:${authPort}/auth/callback/local`);
  const { authProviders } = provider;
  const example = await launchExample(join(dir, "home"), { authPort, authProviders });
  const stop = async () => {
    await example.end();
    await provider.stop();
    rmSync(dir, { recursive: true });
  };
  try {
    project.provide("pageUrl", await example.pageUrl());
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide("apiUrl", example.apiUrl);
  project.provide("authUrl", `http://127.0.0.1:${example.authPort}/auth`);
  project.provide("exampleHome", example.home);
  return stop;
}
