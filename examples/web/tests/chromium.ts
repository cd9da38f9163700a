import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { inject, onTestFinished } from "vitest";
import type {} from "./global-setup.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * The Chromium to drive: CHROMIUM_PATH, or the first one on the PATH.
 *
 * @throws Error that says what to do when there is none. A skip would pass for a success.
 */
export function findChromium(env = process.env): string {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH;
  const folders = (env.PATH ?? "").split(delimiter);
  const found = names.flatMap((name) => folders.map((dir) => join(dir, name))).find(isProgram);
  if (found !== undefined) return found;
  throw new Error(
    "These tests need a Chromium, and none is on the PATH. " +
      "On Debian or Ubuntu: apt install chromium. Elsewhere set CHROMIUM_PATH to a Chrome or Chromium.",
  );
}

/** Starts Chromium, with an empty profile and nothing going on in the background. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: inject("chromium"),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** What a page has complained about so far. */
export interface Complaints {
  /** Errors on the console, and errors that nobody caught. */
  readonly errors: string[];
  /** Addresses of other hosts that something was asked of. */
  readonly strangers: string[];
}

/** Opens the example in a window of its own; it is closed when the test ends. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
  path = "two-people.html",
): Promise<{ page: Page; complaints: Complaints }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints: Complaints = { errors: [], strangers: [] };
  const hosts = [inject("pageUrl"), inject("apiUrl"), inject("authUrl")].map(
    (url) => new URL(url).host,
  );
  page.on("pageerror", (error) => complaints.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.errors.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && !hosts.includes(host)) complaints.strangers.push(request.url());
  });
  await page.goto(`${inject("pageUrl")}${path}`);
  return { page, complaints };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not to be run.
  }
}
