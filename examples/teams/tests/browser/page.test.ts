import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchChromium } from "@rowhouse/example-web/tests/chromium.ts";
import type { Browser, Page, Route } from "playwright-core";
import { freePort, waitFor } from "rowhouse/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

let home: string;
let example: ChildProcess;
let url: string;
let browser: Browser;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "rowhouse-teams-"));
  const none = { DATABASE_URL: "", AUTHENTICATOR_PASSWORD: "", JWT_SECRET: "", DB_PORT: "" };
  const own = { ROWHOUSE_HOME: home, API_PORT: String(await freePort()) };
  example = spawn(process.execPath, ["--import", "tsx", "serve.ts"], {
    cwd: root,
    env: { ...process.env, ...none, ...own },
  });
  let printed = "";
  for (const stream of [example.stdout, example.stderr]) {
    stream?.on("data", (chunk) => {
      printed += chunk;
    });
  }
  const address = () => /^The page: (\S+)$/m.exec(printed)?.[1];
  url =
    (await waitFor(() => address() ?? (example.exitCode === null ? undefined : ""), 10, 40_000)) ??
    "";
  if (!url) throw new Error(`The example did not come up:\n${printed}`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  example.kill("SIGINT");
  if (example.exitCode === null) await once(example, "close");
  rmSync(home, { recursive: true });
});

/** A person on the page, as a test sees them. */
function personOn(page: Page, name: string) {
  const panel = page.getByRole("region", { name, exact: true });
  const press = (button: string) =>
    panel.getByRole("button", { name: button, exact: true }).click();
  return {
    panel,
    press,
    problem: panel.getByRole("alert"),
    fill: async (label: string, text: string, button: string) => {
      await panel.getByRole("textbox", { name: label }).fill(text);
      await press(button);
    },
    invite: async (role: string) => {
      await panel.getByRole("combobox", { name: "Invite as" }).selectOption(role);
      const made = panel.locator("output");
      const before = await made.textContent();
      await press("Invite");
      await expect.poll(() => made.textContent()).not.toBe(before);
      return String(await made.textContent());
    },
    items: () => panel.getByRole("list", { name: "Items" }).locator(".title").allTextContents(),
    members: () =>
      panel.getByRole("list", { name: "Members" }).locator("li > span").allTextContents(),
  };
}

test("two people work on one list, from the invitation to the day when the other owns it", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  const [alice, bob] = [personOn(page, "Alice"), personOn(page, "Bob")];

  await alice.fill("New list", "Groceries", "Create");
  await alice.fill("New item", "Bread", "Add");
  await expect.poll(alice.items).toEqual(["Bread"]);
  await bob.panel.getByText("on no list").waitFor();

  const link = await alice.invite("viewer");
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[0-9a-f]{64}$/);
  await bob.fill("Invitation", link, "Join");
  await expect.poll(bob.items).toEqual(["Bread"]);
  await expect.poll(alice.members).toEqual(["Alice, owner", "Bob, viewer"]);
  await bob.fill("New item", "Milk", "Add");
  await expect.poll(() => bob.problem.textContent()).toContain("row-level security");

  await bob.press("Leave");
  await bob.fill("Invitation", link, "Join");
  await expect.poll(() => bob.problem.textContent()).toContain("does not count");
  await bob.fill("Invitation", await alice.invite("editor"), "Join");
  await bob.fill("New item", "Milk", "Add");
  await expect.poll(alice.items).toEqual(["Bread", "Milk"]);
  await bob.panel.getByRole("checkbox", { name: "Bread" }).check();
  await alice.panel.getByRole("checkbox", { name: "Bread", checked: true }).waitFor();

  await alice.press("Leave");
  await expect.poll(() => alice.problem.textContent()).toContain("The last owner has to stay.");
  await alice.press("Hand over to Bob");
  await expect.poll(bob.members).toEqual(["Alice, editor", "Bob, owner"]);
  await alice.press("Leave");
  await expect.poll(bob.members).toEqual(["Bob, owner"]);
  await alice.panel.getByText("on no list").waitFor();
  expect(errors).toEqual([]);
});

test("what another window has changed is shown after a refusal, and no older answer takes its place", async () => {
  const [page, other] = [await browser.newPage(), await browser.newPage()];
  for (const one of [page, other]) {
    one.setDefaultTimeout(10_000);
    await one.goto(url);
  }
  const [here, there] = [personOn(page, "Alice"), personOn(other, "Alice")];
  const title = "<img src=x onerror=alert(1)>";
  await here.fill("New list", "Another list", "Create");
  const sent = page.waitForRequest(
    (request) => request.method() === "POST" && request.url().includes("/list_items"),
  );
  await here.fill("New item", title, "Add");
  const [{ list_id: list }] = (await sent).postDataJSON();
  await expect.poll(here.items).toEqual([title]);
  await other.reload();
  await there.press(`Delete ${title}`);
  await expect.poll(there.items).toEqual([]);
  await here.press(`Delete ${title}`);
  await expect.poll(here.items).toEqual([]);
  await expect.poll(() => here.problem.textContent()).not.toBe("");

  // The answer to the first refresh stays away until the second one is shown.
  const isRead = (address: URL) => address.searchParams.get("list_id") === `eq.${list}`;
  const held = new Promise<Route>((resolve) => {
    page.route(isRead, resolve, { times: 1 });
  });
  await here.fill("New item", "Bread", "Add");
  const route = await held;
  const old = await route.fetch();
  await here.fill("New item", "Milk", "Add");
  await expect.poll(here.items).toEqual(["Bread", "Milk"]);
  const arrived = page.waitForResponse((response) => isRead(new URL(response.url())));
  await route.fulfill({ response: old });
  await (await arrived).finished();
  // The page has had its turn with it.
  await page.evaluate(() => new Promise((done) => setTimeout(done)));
  expect(await here.items()).toEqual(["Bread", "Milk"]);
});
