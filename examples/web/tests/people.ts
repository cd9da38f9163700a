import type { Locator, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { createRowhouse, type Rowhouse } from "../../../client/index.ts";

/** A person on the page, as a test sees them. */
export interface Person {
  /** Their list on the page. */
  readonly list: Locator;
  /** The titles on the page, from top to bottom. */
  readonly titles: () => Promise<string[]>;
  readonly add: (title: string) => Promise<void>;
  /** The row with a title. */
  readonly row: (title: string) => Locator;
}

/** Reads the page's part that belongs to a person, once it has loaded. */
export async function personOn(page: Page, name: "Alice" | "Bob"): Promise<Person> {
  const list = page.getByRole("region", { name, exact: true });
  await list.getByText(`${name.toLowerCase()}@example.com`).waitFor();
  await list.locator(".rows > li, .empty:not([hidden])").first().waitFor();
  return {
    list,
    titles: () => list.locator(".title").allTextContents(),
    row: (title) => list.getByRole("listitem").filter({ hasText: title }),
    add: async (title) => {
      await list.getByRole("textbox", { name: "New task" }).fill(title);
      await list.getByRole("button", { name: "Add" }).click();
      await list.getByText(`Added “${title}”.`).waitFor();
    },
  };
}

/** The API as Alice or Bob, past the page: as from another tab. */
export function elsewhere(name: "alice" | "bob"): Rowhouse {
  const token = async () => (await fetch(`${inject("pageUrl")}dev/token?for=${name}`)).text();
  return createRowhouse({ url: inject("apiUrl"), token });
}

/** Takes all tasks of both away. */
export async function clear(): Promise<void> {
  for (const name of ["alice", "bob"] as const) {
    const { tasks } = elsewhere(name);
    for await (const { id } of tasks.all()) await tasks.delete(id);
  }
}

/** Waits until a locator shows exactly this text. */
export async function shows(locator: Locator, text: string | RegExp): Promise<void> {
  const said =
    typeof text === "string" ? expect.stringContaining(text) : expect.stringMatching(text);
  await expect.poll(() => locator.textContent(), { timeout: 20_000 }).toEqual(said);
}
