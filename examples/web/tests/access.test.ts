import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { contrastFaults } from "./contrast.ts";
import { clear, elsewhere, personOn } from "./people.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(clear);
afterAll(() => browser.close());

/** The page with all that it can show at once: rows, an open editor, a message, Undo, answers. */
async function openFull(options: Parameters<typeof openPage>[1] = {}): Promise<Page> {
  await elsewhere("alice").tasks.create({ title: "W".repeat(200) });
  await elsewhere("alice").tasks.create({ title: "Buy bread", completed: true });
  await elsewhere("bob").tasks.createMany([{ title: "Tune the cello" }, { title: "Call Samir" }]);
  const { page } = await openPage(browser, options);
  const [alice, bob] = [await personOn(page, "Alice"), await personOn(page, "Bob")];
  await alice.list.getByRole("button", { name: "Rename Buy bread" }).click();
  await alice.list.getByRole("textbox", { name: "New title" }).fill(" ");
  await page.keyboard.press("Enter");
  await alice.list.getByText("A title needs 1 to 200 characters").waitFor();
  await bob.list.getByRole("button", { name: "Delete Call Samir" }).click();
  await bob.list.getByRole("button", { name: "Undo" }).waitFor();
  await page.getByRole("button", { name: "Change it" }).click();
  await page.locator(".verdict").waitFor();
  return page;
}

/** What has the focus: its name, and whether one can see that it has it. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : "";
    const name = (element.ariaLabel ?? (label || element.textContent) ?? "").trim();
    const ring = outlineStyle === "solid" && Number.parseFloat(outlineWidth) >= 2;
    return { name: name.replace(/\s+/g, " "), ring };
  });

/** Presses Tab until something with that name has the focus. */
async function tabTo(page: Page, name: string, key = "Tab"): Promise<void> {
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press(key);
    const now = await focused(page);
    expect(now, "the focus can be seen wherever it is").toMatchObject({ ring: true });
    if (now.name === name) return;
  }
  throw new Error(`Tab never came to ${name}.`);
}

/** Resolves when something with that name has the focus, without a key being pressed. */
const hasFocus = (page: Page, name: string) =>
  expect.poll(async () => focused(page), { timeout: 20_000 }).toEqual({ name, ring: true });

test("with the keyboard alone one adds, ticks, renames, gives up, deletes and brings back", async () => {
  const { page } = await openPage(browser);
  const alice = await personOn(page, "Alice");
  await tabTo(page, "New task for Alice");
  await page.keyboard.type("Buy bread");
  await page.keyboard.press("Enter");
  await alice.list.getByText("Added “Buy bread”.").waitFor();
  await hasFocus(page, "New task for Alice");

  await tabTo(page, "Buy bread");
  await page.keyboard.press("Space");
  await expect
    .poll(async () => (await elsewhere("alice").tasks.list()).items[0]?.completed)
    .toBe(true);
  await alice.list.getByRole("checkbox", { name: "Buy bread", checked: true }).waitFor();

  await tabTo(page, "Rename Buy bread");
  await page.keyboard.press("Enter");
  await hasFocus(page, "New title");
  await page.keyboard.type("Buy rye bread");
  await page.keyboard.press("Enter");
  await hasFocus(page, "Rename Buy rye bread");

  await page.keyboard.press("Enter");
  await page.keyboard.type("Nothing");
  await page.keyboard.press("Escape");
  await hasFocus(page, "Rename Buy rye bread");

  await tabTo(page, "Delete Buy rye bread");
  await page.keyboard.press("Enter");
  await hasFocus(page, "Undo");
  await page.keyboard.press("Enter");
  await hasFocus(page, "Buy rye bread");
  expect(await alice.titles()).toEqual(["Buy rye bread"]);
});

test("the keyboard reaches every control of the full page, and each shows its focus", async () => {
  const page = await openFull();
  const controls = await page.evaluate(() => {
    const all = document.querySelectorAll<HTMLElement>("button, input, select");
    // Of a group of radio buttons Tab reaches one; the arrows do the rest.
    const reached = [...all].filter((each) => !each.matches("[type=radio]:not(:checked)"));
    return reached.filter((each) => each.checkVisibility()).length;
  });
  await page.evaluate(() => {
    const element = document.activeElement;
    if (element instanceof HTMLElement) element.blur();
    scrollTo(0, 0);
  });
  await page.locator("h1").click();
  for (let step = 0; step < controls; step += 1) {
    await page.keyboard.press("Tab");
    expect(await focused(page)).toEqual({ name: expect.stringMatching(/./), ring: true });
  }
  const last = await page.evaluate(() => document.activeElement?.textContent);
  expect(last).toBe("Create in Bob’s name");
});

test("Chromium computes a name for every control, and one heading for every region", async () => {
  const page = await openFull();
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const roles = ["button", "textbox", "checkbox", "radio", "combobox", "region", "group"];
  const controls = nodes
    .filter(({ ignored, role }) => !ignored && roles.includes(String(role?.value)))
    .map(({ role, name }) => `${role?.value} ${name?.value ?? ""}`);
  expect(controls.length).toBeGreaterThan(15);
  expect(controls.filter((each) => !/^\w+ \S/.test(each))).toEqual([]);
  // Told apart by their names alone, as a screen reader lists them.
  const buttons = controls.filter((each) => each.startsWith("button") && !each.endsWith(" Add"));
  expect(new Set(buttons).size).toBe(buttons.length);
  expect(await page.locator("h1").count()).toBe(1);
});

test.each(["light", "dark"] as const)(
  "all text of the %s page has a contrast of 4.5 or more",
  async (colorScheme) => {
    const page = await openFull({ colorScheme });
    expect(await page.evaluate(contrastFaults)).toEqual([]);
  },
);

test.each([360, 375])(
  "a window %i pixels wide shows everything without scrolling sideways",
  async (width) => {
    const page = await openFull({ viewport: { width, height: 780 } });
    const wider = await page.evaluate(() => {
      const elements = [...document.querySelectorAll<HTMLElement>("body *")];
      const beyond = elements.filter(
        (each) => each.getBoundingClientRect().right > innerWidth + 0.5,
      );
      return [document.documentElement.scrollWidth, ...beyond.map((each) => each.outerHTML)];
    });
    expect(wider).toEqual([width]);
  },
);

test("nothing moves for those who prefer it so", async () => {
  const { page } = await openPage(browser, { reducedMotion: "reduce" });
  const animation = () =>
    page.evaluate(() => {
      const list = document.querySelector(".list");
      if (list) list.ariaBusy = "true";
      return list && getComputedStyle(list, "::before").animationIterationCount;
    });
  expect(await animation()).toBe("1");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await animation()).toBe("1, infinite");
});
