import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { readSettings, withDatabase } from "rowhouse";
import { waitFor, withClient } from "rowhouse/testing";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { contrastFaults } from "./contrast.ts";
import { shows } from "./people.ts";

// Sign-in as people meet it: the page, the real service, the real API, and the mail in the home.

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
// All windows come from one address: without this a test would meet the limits of others.
beforeEach(() => sql("delete from identity.rate_limits"));
afterAll(() => browser.close());

/** Runs a statement in the database of the stack. */
function sql(statement: string): Promise<void> {
  return withDatabase(readSettings({ ROWHOUSE_HOME: inject("exampleHome") }), (url) =>
    withClient(url, async (client) => void (await client.query(statement))),
  );
}

const password = "correct horse battery";
const mailDir = () => join(inject("exampleHome"), "mail");

/** The mails to an address, the oldest first. */
function mailsTo(email: string): string[] {
  mkdirSync(mailDir(), { recursive: true });
  const names = readdirSync(mailDir()).filter((name) => name.endsWith(`-${email}.txt`));
  return names.sort().map((name) => readFileSync(join(mailDir(), name), "utf8"));
}

/** The link of the newest mail to an address, once there are so many. */
async function linkTo(email: string, count = 1): Promise<string> {
  const link = await waitFor(() => mailsTo(email)[count - 1]?.match(/^http\S+$/m)?.[0], 20, 20_000);
  if (link === undefined) throw new Error(`No link was mailed to ${email}.`);
  return link;
}

let people = 0;
const newEmail = () => {
  people += 1;
  return `visitor-${people}@example.com`;
};

const openSignIn = (options = {}) => openPage(browser, options, "");

async function fill(page: Page, fields: Record<string, string>, send: string): Promise<void> {
  for (const [name, text] of Object.entries(fields)) {
    await page.getByRole("textbox", { name }).filter({ visible: true }).fill(text);
  }
  await page.getByRole("button", { name: send, exact: true }).click();
}

/** Signs up to the page that says where to look. */
async function signUp(page: Page, email: string): Promise<void> {
  await page.getByRole("button", { name: "Create an account" }).click();
  await fill(page, { Name: "Vera", Email: email, Password: password }, "Create account");
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
}

const signIn = (page: Page, email: string, secret = password) =>
  fill(page, { Email: email, Password: secret }, "Sign in");

/** Waits for the list of a person. */
const listOf = (page: Page, email: string) =>
  page.locator(".list .email").getByText(email, { exact: true }).waitFor();

const signInShown = (page: Page) => page.getByRole("heading", { name: "Sign in" }).waitFor();

async function add(page: Page, title: string): Promise<void> {
  await page.getByRole("textbox", { name: "New task" }).fill(title);
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("checkbox", { name: title }).waitFor();
}

/** A person who has signed up and followed the link, in a window of their own. */
async function newPerson(options = {}) {
  const { page, complaints } = await openSignIn(options);
  const email = newEmail();
  await signUp(page, email);
  await page.goto(await linkTo(email));
  await listOf(page, email);
  return { page, complaints, email };
}

test("a person signs up, follows the mail's link, works, reloads, signs out and in again", async () => {
  const { page, complaints, email } = await newPerson();
  // The code is gone from the address, and from the history.
  expect(page.url()).toBe(inject("pageUrl"));
  await add(page, "Water the plants");
  await page.reload();
  await listOf(page, email);
  await page.getByRole("checkbox", { name: "Water the plants" }).check();

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await signInShown(page);
  expect(await page.getByText("Water the plants").count()).toBe(0);
  await page.reload();
  await signInShown(page);

  await signIn(page, email);
  await page.getByRole("checkbox", { name: "Water the plants", checked: true }).waitFor();
  expect(complaints).toEqual({ errors: [], strangers: [] });
});

test("two people, each in a window of their own, see their own list alone", async () => {
  const alice = await newPerson();
  const bob = await newPerson();
  await add(alice.page, "Water the plants");
  await add(bob.page, "Tune the cello");
  for (const { page } of [alice, bob]) await page.reload();
  const titles = ({ page }: { page: Page }) => page.locator(".title").allTextContents();
  await alice.page.locator(".title").first().waitFor();
  await bob.page.locator(".title").first().waitFor();
  expect(await titles(alice)).toEqual(["Water the plants"]);
  expect(await titles(bob)).toEqual(["Tune the cello"]);
});

test("a wrong password is refused in words, and what was typed stays", async () => {
  const { page, email } = await newPerson();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await signIn(page, email, "not the right one");
  await shows(page.locator("#sign-in [role=alert]"), "no account with this address and password");
  expect(await page.getByRole("textbox", { name: "Email" }).inputValue()).toBe(email);
  await signIn(page, email);
  await listOf(page, email);
});

test("who has not confirmed the address gets that message", async () => {
  const { page } = await openSignIn();
  const email = newEmail();
  await signUp(page, email);
  await page.getByRole("button", { name: "Back to sign-in" }).filter({ visible: true }).click();
  await signIn(page, email);
  await shows(page.locator("#sign-in [role=alert]"), "Confirm your address first");
});

test("a forgotten password is replaced by a link", async () => {
  const { page, email } = await newPerson();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await fill(page, { Email: email }, "Send the link");
  await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
  const link = await linkTo(email, 2);
  await page.goto(link);
  await fill(page, { "New password": "another horse" }, "Set the password");
  await page.getByText("The password is changed.").waitFor();
  expect(page.url()).toBe(inject("pageUrl"));
  await signIn(page, email, "another horse");
  await listOf(page, email);

  // A second time the same link does nothing.
  await page.goto(link);
  await page.getByText("This link does not work").waitFor();
  await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
});

test("a link that has expired says so, and a new one can be asked for", async () => {
  const { page, email } = await newPerson();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await fill(page, { Email: email }, "Send the link");
  const link = await linkTo(email, 2);
  await sql("update identity.verifications set expires_at = now() - interval '1 second'");
  await page.goto(link);
  await page.getByText("This link does not work").waitFor();
  await fill(page, { Email: email }, "Send the link");
  await page.goto(await linkTo(email, 3));
  await page.getByRole("textbox", { name: "New password" }).waitFor();
});

test("a link that was changed says so and signs nobody in", async () => {
  const { page } = await openSignIn();
  const email = newEmail();
  await signUp(page, email);
  const link = new URL(await linkTo(email));
  const token = link.searchParams.get("token") ?? "";
  link.searchParams.set("token", `${token.slice(0, -4)}AAAA`);
  await page.goto(link.href);
  await page.getByText("This link does not work").waitFor();
  await signInShown(page);
});

test("a code that was used already says so", async () => {
  const { page } = await openSignIn();
  await page.goto("about:blank");
  await page.goto(`${inject("pageUrl")}#sign-in-code=used`);
  await page.getByText("This link does not work").waitFor();
  expect(page.url()).toBe(inject("pageUrl"));
});

/** Opens the page once more in the same browser. */
async function openTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto(inject("pageUrl"));
  return tab;
}

test("two tabs share a session: one sign-out, or one sign-in, is that of both", async () => {
  const { page, email } = await newPerson();
  const tab = await openTab(page.context());
  await listOf(tab, email);
  await tab.getByRole("button", { name: "Sign out", exact: true }).click();
  await signInShown(page);
  expect(await page.locator(".list").count()).toBe(0);
  await signIn(page, email);
  await listOf(tab, email);
});

test("tabs that need a token at the same time get one between them", async () => {
  const { page, email } = await newPerson();
  const context = page.context();
  await page.goto("about:blank");
  const asked: string[] = [];
  await context.route(`${inject("authUrl")}/token`, async (route) => {
    asked.push(route.request().url());
    // Until the other tabs wait for the lock's holder.
    await expect.poll(() => tabs.length).toBe(3);
    await route.continue();
  });
  const tabs: Page[] = [];
  const opened = Array.from({ length: 3 }, async () => {
    const tab = await context.newPage();
    await tab.goto(inject("pageUrl"));
    await tab.locator(".list").waitFor();
    tabs.push(tab);
    return tab;
  });
  for (const tab of await Promise.all(opened)) await listOf(tab, email);
  expect(asked).toHaveLength(1);
});

test("the account is deleted with the password alone, and is gone", async () => {
  const { page, email } = await newPerson();
  await page.getByText("Account", { exact: true }).click();
  await fill(page, { Password: "not the right one" }, "Delete account");
  await shows(page.locator("#account [role=alert]"), "This is not your password.");
  await fill(page, { Password: password }, "Delete account");
  await page.getByText("Your account is deleted.").waitFor();
  await signIn(page, email);
  await shows(page.locator("#sign-in [role=alert]"), "no account with this address and password");
});

test("a session that was ended elsewhere leads to the sign-in with the next request", async () => {
  const { page, email } = await newPerson();
  const other = await openSignIn();
  await signIn(other.page, email);
  await listOf(other.page, email);
  await other.page.getByText("Account", { exact: true }).click();
  await other.page.getByRole("button", { name: "Sign out everywhere" }).click();
  await signInShown(other.page);
  await page.reload();
  await signInShown(page);
});

test.each(["light", "dark"] as const)("every view can be read in %s", async (colorScheme) => {
  const { page, email } = await newPerson({ colorScheme });
  expect(await page.evaluate(contrastFaults)).toEqual([]);
  await page.getByText("Account", { exact: true }).click();
  await fill(page, { Password: "not the right one" }, "Delete account");
  await shows(page.locator("#account [role=alert]"), "This is not your password.");
  expect(await page.evaluate(contrastFaults)).toEqual([]);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await signIn(page, email, "not the right one");
  await shows(page.locator("#sign-in [role=alert]"), "no account");
  // A button under the mouse has a mixed colour, which the check cannot read.
  await page.mouse.move(0, 0);
  expect(await page.evaluate(contrastFaults)).toEqual([]);
});
