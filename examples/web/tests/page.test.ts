import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { clear, elsewhere, type Person, personOn, shows } from "./people.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(clear);
afterAll(() => browser.close());

/** Opens the page with both lists loaded. */
async function open() {
  const { page, complaints } = await openPage(browser);
  const [alice, bob] = [await personOn(page, "Alice"), await personOn(page, "Bob")];
  return { page, complaints, alice, bob };
}

/** The button of a row that does something with it. */
const button = (person: Person, verb: string, title: string) =>
  person.list.getByRole("button", { name: `${verb} ${title}`, exact: true });

const rename = async (page: Page, person: Person, title: string, to: string) => {
  await button(person, "Rename", title).click();
  await person.list.getByRole("textbox", { name: "New title" }).fill(to);
  await page.keyboard.press("Enter");
};

test("Alice adds, ticks, renames, deletes and brings back; Bob's list never changes", async () => {
  const { page, complaints, alice, bob } = await open();
  await shows(alice.list.locator(".empty:not([hidden])"), "Nothing here yet.");
  await bob.add("Tune the cello");
  await alice.add("Buy bread");
  await alice.add("Water the plants");
  expect(await alice.titles()).toEqual(["Water the plants", "Buy bread"]);

  await alice.list.getByRole("checkbox", { name: "Buy bread" }).check();
  await rename(page, alice, "Buy bread", "Buy rye bread");
  await alice.list.getByRole("checkbox", { name: "Buy rye bread", checked: true }).waitFor();

  await button(alice, "Delete", "Buy rye bread").click();
  await alice.list.getByText("Deleted “Buy rye bread”.").waitFor();
  expect(await alice.titles()).toEqual(["Water the plants"]);
  await alice.list.getByRole("button", { name: "Undo" }).click();
  await alice.list.getByText("“Buy rye bread” is back.").waitFor();
  expect(await alice.titles()).toEqual(["Water the plants", "Buy rye bread"]);

  expect(await bob.titles()).toEqual(["Tune the cello"]);
  expect(complaints).toEqual({ errors: [], strangers: [] });
});

test("a reload shows every row as it was left", async () => {
  const { page, alice, bob } = await open();
  await alice.add("Water the plants");
  await bob.add("Tune the cello");
  await bob.list.getByRole("checkbox", { name: "Tune the cello" }).check();
  await expect
    .poll(async () => (await elsewhere("bob").tasks.list()).items[0]?.completed)
    .toBe(true);

  await page.reload();
  expect(await (await personOn(page, "Alice")).titles()).toEqual(["Water the plants"]);
  const again = await personOn(page, "Bob");
  await again.list.getByRole("checkbox", { name: "Tune the cello", checked: true }).waitFor();
});

test("More shows the next page, and goes when there is none", async () => {
  const { tasks } = elsewhere("alice");
  for (let number = 1; number <= 11; number += 1) await tasks.create({ title: `Task ${number}` });
  const { page, alice } = await open();
  expect(await alice.titles()).toHaveLength(8);
  const more = alice.list.getByRole("button", { name: "More" });
  await more.click();
  await more.waitFor({ state: "hidden" });
  expect(await alice.titles()).toEqual(
    Array.from({ length: 11 }, (_, index) => `Task ${11 - index}`),
  );
  // The keyboard goes on where the new rows begin.
  expect(await page.evaluate(() => document.activeElement?.closest("li")?.textContent)).toContain(
    "Task 3",
  );
});

test("a title that breaks the database's rule is refused in words, and can be corrected", async () => {
  const { page, alice } = await open();
  const title = alice.list.getByRole("textbox", { name: "New task" });
  await title.fill("   ");
  await page.keyboard.press("Enter");
  await shows(alice.list.getByRole("alert").first(), "A title needs 1 to 200 characters");
  expect(await title.getAttribute("aria-invalid")).toBe("true");
  await alice.add("Water the plants");
  expect(await title.getAttribute("aria-invalid")).toBeNull();
  expect(await alice.list.getByRole("alert").first().textContent()).toBe("");
});

test("a rename over somebody's change shows that change, and goes through the second time", async () => {
  const { page, alice } = await open();
  await alice.add("Buy bread");
  await button(alice, "Rename", "Buy bread").click();
  const other = elsewhere("alice").tasks;
  const [task] = (await other.list()).items;
  await other.update(task?.id ?? "", { title: "Buy milk" });

  const input = alice.list.getByRole("textbox", { name: "New title" });
  await input.fill("Buy rye bread");
  await page.keyboard.press("Enter");
  await shows(
    alice.row("Buy milk").getByRole("alert"),
    "Changed elsewhere meanwhile: it is “Buy milk” now, and open.",
  );
  expect(await input.inputValue()).toBe("Buy rye bread");
  expect((await other.list()).items[0]?.title).toBe("Buy milk");

  await page.keyboard.press("Enter");
  await button(alice, "Rename", "Buy rye bread").waitFor();
  expect((await other.list()).items[0]?.title).toBe("Buy rye bread");
});

test("a task that was deleted elsewhere goes from the page, with a word about it", async () => {
  const { alice } = await open();
  await alice.add("Buy bread");
  const other = elsewhere("alice").tasks;
  await other.delete((await other.list()).items[0]?.id ?? "");
  await alice.list.getByRole("checkbox", { name: "Buy bread" }).click();
  await alice.list.getByText("“Buy bread” was deleted elsewhere.").waitFor();
  expect(await alice.titles()).toEqual([]);
});

test("Undo of a task that is back already shows the one that is there", async () => {
  const { alice } = await open();
  await alice.add("Buy bread");
  const other = elsewhere("alice").tasks;
  const [task] = (await other.list()).items;
  await button(alice, "Delete", "Buy bread").click();
  const undo = alice.list.getByRole("button", { name: "Undo" });
  await undo.waitFor();
  await other.create({ id: task?.id ?? "", title: "Buy bread and olives" });
  await undo.click();
  await button(alice, "Rename", "Buy bread and olives").waitFor();
});

test("without a network the page says so, and what was typed is not lost", async () => {
  const { page, alice } = await open();
  const title = alice.list.getByRole("textbox", { name: "New task" });
  await page.context().setOffline(true);
  await title.fill("Water the plants");
  await page.keyboard.press("Enter");
  expect(await alice.list.getAttribute("aria-busy")).toBe("true");
  await shows(alice.list.getByRole("alert").first(), "Could not reach the server");
  expect(await title.inputValue()).toBe("Water the plants");

  await page.context().setOffline(false);
  await page.keyboard.press("Enter");
  await alice.list.getByText("Added “Water the plants”.").waitFor();
  expect(await alice.titles()).toEqual(["Water the plants"]);
});

test("a list that cannot be loaded can be tried again", async () => {
  await elsewhere("alice").tasks.create({ title: "Water the plants" });
  const { page } = await openPage(browser);
  const api = `${inject("apiUrl")}/**`;
  await page.route(api, (route) => route.abort());
  await page.reload();
  const list = page.getByRole("region", { name: "Alice", exact: true });
  const again = list.getByRole("button", { name: "Try again" });
  await again.waitFor({ timeout: 20_000 });
  await page.unroute(api);
  await again.click();
  await list.getByRole("checkbox", { name: "Water the plants" }).waitFor();
  expect(await again.isVisible()).toBe(false);
});

/** Makes an attempt in the panel, and reads what it shows. */
async function tryTo(page: Page, what: string) {
  const panel = page.getByRole("region", { name: "Try to reach the other’s row" });
  await panel.getByRole("button", { name: what }).click();
  await panel.locator(".verdict").waitFor();
  const read = (part: string) => panel.locator(`.answer ${part}`).allTextContents();
  return {
    requests: await read(".request"),
    status: await read(".status"),
    thrown: await read(".thrown"),
    code: await read(".code"),
    message: await read(".message"),
    verdict: await panel.locator(".verdict").textContent(),
  };
}

test.each([
  ["Read it", "GET", "406", "NotFoundError", "PGRST116"],
  ["Change it", "PATCH", "406", "NotFoundError", "PGRST116"],
  ["Delete it", "DELETE", "406", "NotFoundError", "PGRST116"],
  ["Create in Bob’s name", "POST", "403", "ForbiddenError", "42501"],
])(
  "Alice tries: %s; the answer is the same for a row that nobody has",
  async (what, method, status, thrown, code) => {
    const bobs = elsewhere("bob").tasks;
    const task = await bobs.create({ title: "Tune the cello" });
    const { page, complaints, bob } = await open();
    const shown = await tryTo(page, what);

    expect(shown.requests[0]).toMatch(new RegExp(`^${method} /tasks`));
    const target = what.startsWith("Create") ? task.user_id : task.id;
    expect(shown.requests[0]).toContain(target);
    expect(shown.requests[1]).not.toContain(target);
    expect(shown.requests.join()).not.toContain("user_id=eq.");
    expect(shown.status).toEqual([status, status]);
    expect(shown.thrown).toEqual([thrown, thrown]);
    expect(shown.code).toEqual([code, code]);
    expect(shown.message[0]).toBe(shown.message[1]);
    expect(shown.verdict).toContain("Word for word the same answer");

    expect((await bobs.list()).items).toEqual([task]);
    expect(await bob.titles()).toEqual(["Tune the cello"]);
    // Chromium writes each 4xx to the console; there is nothing else on it.
    const refused = expect.stringMatching(`the server responded with a status of ${status}`);
    expect(complaints).toEqual({ errors: [refused, refused], strangers: [] });
  },
);

test("Bob tries on Alice's rows when the panel asks for it, and needs a row to try it on", async () => {
  const { page, alice } = await open();
  const panel = page.getByRole("region", { name: "Try to reach the other’s row" });
  await panel.getByRole("radio", { name: "Bob" }).check();
  await shows(panel.locator("select"), "Alice has none yet");
  expect(await panel.getByRole("button", { name: "Read it" }).isDisabled()).toBe(true);

  await alice.add("Water the plants");
  expect(await panel.getByRole("button", { name: "Read it" }).isDisabled()).toBe(false);
  const shown = await tryTo(page, "Create in Alice’s name");
  expect(shown.requests[0]).toContain('"title":"Bob was here"');
  expect(shown.verdict).toContain("Bob cannot tell hidden from absent");
});
