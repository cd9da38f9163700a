import { randomUUID } from "node:crypto";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { createRowhouse } from "../../../client/index.ts";
import { launchChromium } from "./chromium.ts";
import { type ReactApp, type Renew, serveReactApp, storeSession } from "./react-app.ts";
import { newToken } from "./tokens.ts";

// The app of docs/react.md in several tabs, which share a session whose token has expired.

let browser: Browser;
let app: ReactApp;

beforeAll(async () => {
  [browser, app] = await Promise.all([launchChromium(), serveReactApp()]);
});
afterAll(async () => {
  await browser.close();
  await app.stop();
});

/** What an identity provider does: it takes a refresh token once. */
interface Provider {
  readonly renew: Renew;
  /** Each refresh token that came, a refused one too. */
  readonly asked: readonly string[];
}

/** @param before What a renewal waits for. */
function startProvider(user: string, first: string, before: () => Promise<void>): Provider {
  const asked: string[] = [];
  let valid = first;
  const renew: Renew = async (refresh) => {
    asked.push(refresh);
    if (refresh !== valid) return undefined;
    valid = randomUUID();
    const tokens = { access: newToken(600, user), refresh: valid };
    await before();
    return tokens;
  };
  return { renew, asked };
}

/** How many tabs wait for the lock that another one has. */
const waiting = (page: Page) =>
  page.evaluate(async () => (await navigator.locks.query()).pending?.length);

/** Lets the requests of the tabs go on when each tab has sent one: all get their 401 together. */
function createBarrier(tabs: number): (route: Route) => Promise<void> {
  const pages = new Set<Page>();
  const held: Route[] = [];
  return async (route) => {
    pages.add(route.request().frame().page());
    if (pages.size < tabs) held.push(route);
    else await Promise.all([...held.splice(0), route].map((one) => one.continue()));
  };
}

test("three tabs with one expired token renew it once, and every request of theirs succeeds", async () => {
  const user = randomUUID();
  const refresh = randomUUID();
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  context.setDefaultTimeout(20_000);
  const tabs = [await context.newPage(), await context.newPage(), await context.newPage()];
  const [first, ...others] = tabs as [Page, Page, Page];
  await storeSession(first, app.url, { user, access: newToken(-3600, user), refresh });

  const statuses: number[] = [];
  context.on("response", (response) => {
    if (response.url().startsWith(inject("apiUrl"))) statuses.push(response.status());
  });
  const provider = startProvider(user, refresh, () =>
    expect.poll(() => waiting(first), { timeout: 20_000 }).toBe(others.length),
  );
  app.renewWith(provider.renew);
  await context.route(`${inject("apiUrl")}/rpc/me`, createBarrier(tabs.length));
  await Promise.all(tabs.map((tab) => tab.goto(app.url)));

  for (const [index, tab] of tabs.entries()) {
    await tab.getByRole("textbox", { name: "New task" }).fill(`From tab ${index + 1}`);
    await tab.keyboard.press("Enter");
    await tab.getByRole("checkbox", { name: `From tab ${index + 1}` }).waitFor();
    await expect.poll(() => tab.getByRole("status").textContent()).toBe("");
  }
  expect(provider.asked).toEqual([refresh]);
  expect(statuses.filter((status) => status === 401)).toHaveLength(tabs.length);
  expect(statuses.filter((status) => status >= 400 && status !== 401)).toEqual([]);
  const db = createRowhouse({ url: inject("apiUrl"), token: newToken(600, user) });
  expect(await db.tasks.count()).toBe(tabs.length);
});
