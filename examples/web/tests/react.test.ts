import { randomUUID } from "node:crypto";
import type { Browser, BrowserContext, Page, Request, Route } from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { createRowhouse, type Rowhouse } from "../../../client/index.ts";
import { launchChromium } from "./chromium.ts";
import { type ReactApp, serveReactApp, storeSession } from "./react-app.ts";
import { newToken } from "./tokens.ts";

// The app of docs/react.md, in StrictMode, against the real stack.

/** A page with two effects that a reader might write: the second is what docs/react.md warns of. */
const effects = `
  import { uuidv7 } from "@rowhouse/client";
  import { StrictMode, useEffect, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { SignedIn, useDb } from "./db.tsx";
  import { OpenCount } from "./OpenCount.tsx";
  import { createToken, readSession } from "./session.ts";

  const outcomes: string[] = [];
  Object.assign(window, { outcomes });

  function ReadTwice() {
    const db = useDb();
    useEffect(() => {
      const controller = new AbortController();
      db.tasks.list({ signal: controller.signal }).then(
        () => outcomes.push("read"),
        (error) => outcomes.push(error.name),
      );
      return () => controller.abort();
    }, [db]);
    return null;
  }

  function CreateTwice() {
    const db = useDb();
    const [id] = useState(() => uuidv7());
    useEffect(() => {
      for (const task of [{ id, title: "With an id" }, { title: "Without one" }]) {
        db.tasks.create(task).then(
          () => outcomes.push("created " + task.title),
          (error) => outcomes.push(error.name),
        );
      }
    }, [db, id]);
    return null;
  }

  const { user } = (await readSession()) ?? { user: "" };
  createRoot(document.getElementById("root") ?? document.body).render(
    <StrictMode>
      <SignedIn token={createToken(user)} onSignedOut={() => {}}>
        <OpenCount />
        <ReadTwice />
        <CreateTwice />
      </SignedIn>
    </StrictMode>,
  );
`;

let browser: Browser;
let app: ReactApp;

beforeAll(async () => {
  [browser, app] = await Promise.all([launchChromium(), serveReactApp({ effects })]);
});
afterAll(async () => {
  await browser.close();
  await app.stop();
});

/** A new user, with the app in a browser of their own. */
interface Person {
  readonly id: string;
  /** The API past the app, as from another device. */
  readonly db: Rowhouse;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors that nobody caught, unhandled rejections among them. */
  readonly uncaught: string[];
}

/** @param life Of their token, in seconds; a negative one makes one that has expired. */
async function newPerson(life = 600): Promise<Person> {
  const id = randomUUID();
  const db = createRowhouse({ url: inject("apiUrl"), token: newToken(600, id) });
  await db.me();
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const uncaught: string[] = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  onTestFinished(() => expect(uncaught).toEqual([]));
  await storeSession(page, app.url, { user: id, access: newToken(life, id), refresh: "first" });
  return { id, db, context, page, uncaught };
}

async function open({ page }: Person, path = ""): Promise<void> {
  await page.goto(`${app.url}${path}`);
}

const titles = async (page: Page) =>
  (await page.getByRole("listitem").allTextContents()).map((title) => title.trim());
const input = (page: Page) => page.getByRole("textbox", { name: "New task" });
const alert = (page: Page) => page.getByRole("alert");
const box = (page: Page, name: string) => page.getByRole("checkbox", { name });

/** Waits until nothing is under way. */
const idle = (page: Page) => expect.poll(() => page.getByRole("status").textContent()).toBe("");

async function add(page: Page, title: string): Promise<void> {
  await input(page).fill(title);
  await page.keyboard.press("Enter");
}

/** Requests that are held back until they are let go; then they reach the real server. */
interface Held {
  readonly arrived: Request[];
  readonly release: () => Promise<void>;
}

/** Holds back all requests of a method to /tasks. */
async function hold(page: Page, method: string): Promise<Held> {
  const routes: Route[] = [];
  const arrived: Request[] = [];
  let held = true;
  await page.route(`${inject("apiUrl")}/tasks**`, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    arrived.push(route.request());
    if (!held) return route.continue();
    routes.push(route);
    return undefined;
  });
  const release = async () => {
    held = false;
    await Promise.all(routes.map((route) => route.continue()));
  };
  return { arrived, release };
}

test("every block of docs/react.md compiles", () => {
  expect(app.compile()).toBe("");
});

test("the list has every row once, page by page, also while rows are created elsewhere", async () => {
  const person = await newPerson();
  const { page, db } = person;
  const all = Array.from({ length: 45 }, (_, index) => `Task ${index + 1}`);
  for (const title of all) await db.tasks.create({ title });
  await open(person);
  const more = page.getByRole("button", { name: "More" });
  await expect.poll(() => titles(page)).toHaveLength(20);
  await db.tasks.create({ title: "Created elsewhere" });
  await more.click();
  await expect.poll(() => titles(page)).toHaveLength(40);
  await more.click();
  await expect.poll(() => titles(page)).toEqual(all.toReversed());
  expect(await more.count()).toBe(0);
});

test("a new task shows before the server answers, and stays", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await open(person);
  await idle(page);
  const post = await hold(page, "POST");
  await add(page, "Water the plants");
  await expect.poll(() => titles(page)).toEqual(["Water the plants"]);
  await expect.poll(() => post.arrived.length).toBe(1);
  expect(await db.tasks.count()).toBe(0);
  expect(await input(page).inputValue()).toBe("");

  await post.release();
  await idle(page);
  expect(await titles(page)).toEqual(["Water the plants"]);
  expect((await db.tasks.list()).items).toMatchObject([{ title: "Water the plants" }]);
});

test("a task that the server refuses is taken back, with its reason; another one stays", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await open(person);
  await idle(page);
  const post = await hold(page, "POST");
  await add(page, "   ");
  await add(page, "Water the plants");
  await expect.poll(() => titles(page)).toEqual(["Water the plants", ""]);
  // What the list is afterwards must not come from the server.
  const get = await hold(page, "GET");
  await post.release();
  await expect.poll(() => alert(page).textContent()).toContain("A title needs 1 to 200 characters");
  await expect.poll(() => titles(page)).toEqual(["Water the plants"]);
  expect(await input(page).inputValue()).toBe("   ");

  await get.release();
  await idle(page);
  expect(await titles(page)).toEqual(["Water the plants"]);
  // Once, after the second: a list loaded between the two would have lacked it. A request for one
  // row asks whether the server has cut the page.
  const limits = get.arrived.map((request) => new URL(request.url()).searchParams.get("limit"));
  expect(limits.filter((limit) => limit !== "1")).toHaveLength(1);
  expect(await db.tasks.count()).toBe(1);
});

test("a tick shows before the server answers, and stays", async () => {
  const person = await newPerson();
  const { page, db } = person;
  const { id } = await db.tasks.create({ title: "Water the plants" });
  await open(person);
  await box(page, "Water the plants").waitFor();
  const patch = await hold(page, "PATCH");
  await box(page, "Water the plants").click();
  await expect.poll(() => box(page, "Water the plants").isChecked()).toBe(true);
  await expect.poll(() => patch.arrived.length).toBe(1);
  expect(await db.tasks.get(id)).toMatchObject({ completed: false });

  await patch.release();
  await idle(page);
  expect(await box(page, "Water the plants").isChecked()).toBe(true);
  expect(await db.tasks.get(id)).toMatchObject({ completed: true });
});

test("a tick that the server refuses is taken back, with its reason", async () => {
  const person = await newPerson();
  const { page, db } = person;
  const { id } = await db.tasks.create({ title: "Water the plants" });
  await open(person);
  await box(page, "Water the plants").waitFor();
  await db.tasks.delete(id);
  const patch = await hold(page, "PATCH");
  await box(page, "Water the plants").click();
  await expect.poll(() => box(page, "Water the plants").isChecked()).toBe(true);
  const get = await hold(page, "GET");
  await patch.release();
  await expect.poll(() => alert(page).textContent()).toBe("That task was deleted elsewhere.");
  expect(await box(page, "Water the plants").isChecked()).toBe(false);

  await get.release();
  await expect.poll(() => titles(page)).toEqual([]);
});

test("a tick cancels the request for the list that is under way, which would undo it", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await db.tasks.create({ title: "Water the plants" });
  await open(person);
  await idle(page);
  const [get, patch] = [await hold(page, "GET"), await hold(page, "PATCH")];
  await add(page, "Buy bread");
  await expect.poll(() => get.arrived.length).toBe(1);
  await box(page, "Water the plants").click();
  await expect.poll(() => patch.arrived.length).toBe(1);
  await expect.poll(() => get.arrived[0]?.failure()?.errorText).toBe("net::ERR_ABORTED");
  expect(await box(page, "Water the plants").isChecked()).toBe(true);

  await patch.release();
  await get.release();
  await idle(page);
  const { items } = await db.tasks.list({ where: { completed: true } });
  expect(items).toMatchObject([{ title: "Water the plants" }]);
});

test("a tick of a task that is not created yet is sent after it", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await open(person);
  await idle(page);
  const [post, patch] = [await hold(page, "POST"), await hold(page, "PATCH")];
  await add(page, "Water the plants");
  await box(page, "Water the plants").click();
  await expect.poll(() => box(page, "Water the plants").isChecked()).toBe(true);
  await expect.poll(() => post.arrived.length).toBe(1);
  expect(patch.arrived).toEqual([]);
  await post.release();
  await patch.release();
  await idle(page);
  expect((await db.tasks.list()).items).toMatchObject([{ completed: true }]);
});

test("a task created offline shows at once, and is sent when the browser is online", async () => {
  const person = await newPerson();
  const { page, db, context } = person;
  await open(person);
  await idle(page);
  await context.setOffline(true);
  await add(page, "Water the plants");
  await expect.poll(() => titles(page)).toEqual(["Water the plants"]);
  expect(await db.tasks.count()).toBe(0);
  await context.setOffline(false);
  await idle(page);
  expect(await titles(page)).toEqual(["Water the plants"]);
  expect(await db.tasks.count()).toBe(1);
});

test("only the client retries: four attempts, then the reason, and the list can be tried again", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await db.tasks.create({ title: "Water the plants" });
  const ids: (string | null)[] = [];
  const broken = `${inject("apiUrl")}/tasks**`;
  await page.route(broken, async (route) => {
    ids.push(await route.request().headerValue("x-request-id"));
    await route.abort();
  });
  await open(person);
  await expect.poll(() => alert(page).textContent()).toContain("The server cannot be reached.");
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(1);

  await page.unroute(broken);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect.poll(() => titles(page)).toEqual(["Water the plants"]);
});

test("a session whose renewal is refused ends in the sign-in; a lost connection does not end it", async () => {
  const person = await newPerson(-3600);
  const { page } = person;
  await page.route("**/auth/renew", (route) => route.abort(), { times: 1 });
  app.renewWith(async () => undefined);
  await open(person);
  await expect.poll(() => alert(page).textContent()).toContain("Could not get a new token.");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
});

test("when somebody else signs in in another tab, no row of the first user stays on the page", async () => {
  const [alice, bob] = [await newPerson(), await newPerson()];
  await alice.db.tasks.create({ title: "Alice's" });
  await bob.db.tasks.create({ title: "Bob's" });
  const { page } = alice;
  await open(alice);
  await expect.poll(() => titles(page)).toEqual(["Alice's"]);

  const bobsTab = await alice.context.newPage();
  const session = { user: bob.id, access: newToken(600, bob.id), refresh: "first" };
  await storeSession(bobsTab, app.url, session);
  // The next request of Alice's goes out with a token that has expired.
  const expired = `Bearer ${newToken(-3600, alice.id)}`;
  await page.route(
    `${inject("apiUrl")}/tasks**`,
    (route) =>
      route.continue({ headers: { ...route.request().headers(), authorization: expired } }),
    { times: 1 },
  );
  await add(page, "Written by Alice");
  await expect.poll(() => titles(page)).toEqual(["Bob's"]);
  await idle(page);
  // Another client on another page: of what became of Alice's task, nothing is said to Bob.
  expect(await alert(page).count()).toBe(0);
  expect(await bob.db.tasks.count()).toBe(1);
});

test("effects run twice: the first read ends in AbortedError, and one intent with an id is one row", async () => {
  const person = await newPerson();
  const { page, db } = person;
  await open(person, "effects.html");
  await page.getByText(/^[0-3] open$/).waitFor();
  const outcomes = () =>
    page.evaluate(() => (window as unknown as { outcomes: string[] }).outcomes);
  await expect
    .poll(async () => (await outcomes()).toSorted())
    .toEqual([
      "AbortedError",
      "ConflictError",
      "created With an id",
      "created Without one",
      "created Without one",
      "read",
    ]);
  const rows = (await db.tasks.list()).items.map(({ title }) => title);
  expect(rows.toSorted()).toEqual(["With an id", "Without one", "Without one"]);
});
