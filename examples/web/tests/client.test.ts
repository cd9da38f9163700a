import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Browser, JSHandle, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { projectRoot } from "./project.ts";
import { newToken } from "./tokens.ts";

type Client = typeof import("../../../client/index.ts");

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** The client, loaded into a page whose origin is not the API's. */
async function load(): Promise<{ page: Page; client: JSHandle<Client>; url: string }> {
  const { page } = await openPage(browser);
  const client: JSHandle<Client> = await page.evaluateHandle(
    `import("/@fs${join(projectRoot, "client/index.ts")}")`,
  );
  const url = inject("apiUrl");
  expect(await page.evaluate(() => location.origin)).not.toBe(new URL(url).origin);
  return { page, client, url };
}

test("the client creates, lists in pages, counts, updates and deletes across origins", async () => {
  const { page, client, url } = await load();
  const seen = await page.evaluate(
    async ({ client, url, token }) => {
      const db = client.createRowhouse({ url, token });
      const me = await db.me();
      await db.tasks.createMany([{ title: "one" }, { title: "two" }, { title: "three" }]);
      const first = await db.tasks.list({ limit: 2, sort: { by: "title" } });
      const rest = await db.tasks.list({ limit: 2, sort: { by: "title" }, after: first.next });
      const [task] = first.items;
      const ticked = await db.tasks.update(task?.id ?? "", { completed: true });
      await db.tasks.delete(ticked.id);
      return {
        owner: ticked.user_id === me.id,
        pages: [first, rest].map(({ items }) => items.map(({ title }) => title)),
        last: rest.next === undefined,
        ticked: ticked.completed,
        left: await db.tasks.count(),
      };
    },
    { client, url, token: newToken() },
  );
  const pages = [["one", "three"], ["two"]];
  expect(seen).toEqual({ owner: true, pages, last: true, ticked: true, left: 2 });
});

test("an update of an old version throws StaleError with the row as it is", async () => {
  const { page, client, url } = await load();
  const seen = await page.evaluate(
    async ({ client, url, token }) => {
      const db = client.createRowhouse({ url, token });
      await db.me();
      const task = await db.tasks.create({ title: "Bread" });
      await db.tasks.update(task.id, { title: "Rye bread" });
      const late = db.tasks.update(task.id, { title: "Cake" }, { ifMatch: task.updated_at });
      const error = await late.catch((thrown: unknown) => thrown);
      if (!(error instanceof client.StaleError)) throw error;
      return { status: error.status, details: error.details, current: error.current };
    },
    { client, url, token: newToken() },
  );
  const current = expect.objectContaining({ title: "Rye bread" });
  expect(seen).toEqual({ status: 412, details: "row_stale", current });
});

test("after a 401 the token is asked for once more, and the call goes through", async () => {
  const { page, client, url } = await load();
  const id = randomUUID();
  const seen = await page.evaluate(
    async ({ client, url, tokens }) => {
      let asked = 0;
      const statuses: number[] = [];
      const db = client.createRowhouse({
        url,
        token: async () => tokens[asked++] ?? "",
        onRequest: ({ status }) => statuses.push(status),
      });
      const me = await db.me();
      return { id: me.id, asked, statuses };
    },
    { client, url, tokens: [newToken(-3600, id), newToken(600, id)] },
  );
  expect(seen).toEqual({ id, asked: 2, statuses: [401, 200] });
});

test("a token that stays refused ends in SignedOutError", async () => {
  const { page, client, url } = await load();
  const seen = await page.evaluate(
    async ({ client, url, token }) => {
      const thrown = await client
        .createRowhouse({ url, token })
        .tasks.list()
        .catch((error: unknown) => error);
      if (!(thrown instanceof client.SignedOutError)) throw thrown;
      return { name: thrown.name, status: thrown.status };
    },
    { client, url, token: newToken(-3600) },
  );
  expect(seen).toEqual({ name: "SignedOutError", status: 401 });
});

test("an aborted call throws AbortedError, before it is sent and while it is under way", async () => {
  const { page, client, url } = await load();
  const names = await page.evaluate(
    async ({ client, url, token }) => {
      const nameOf = (error: unknown) =>
        error instanceof client.AbortedError ? error.name : error;
      const db = client.createRowhouse({ url, token });
      await db.me();
      const before = db.tasks.list({ signal: AbortSignal.abort() }).catch(nameOf);
      const controller = new AbortController();
      // The request has left when fetch was called; it is aborted before an answer can be read.
      const underWay = client.createRowhouse({
        url,
        token,
        fetch: (...args) => {
          const answer = fetch(...args);
          controller.abort();
          return answer;
        },
      });
      return [await before, await underWay.tasks.list({ signal: controller.signal }).catch(nameOf)];
    },
    { client, url, token: newToken() },
  );
  expect(names).toEqual(["AbortedError", "AbortedError"]);
});

test("db.rest inserts, updates and reads one row across origins", async () => {
  const { page, client, url } = await load();
  const seen = await page.evaluate(
    async ({ client, url, token }) => {
      const db = client.createRowhouse({ url, token });
      await db.me();
      const tasks = () => db.rest.from("tasks");
      const made = await tasks().insert({ title: "Bread" }).select().single().throwOnError();
      const one = tasks().update({ completed: true }).eq("id", made.data.id);
      const changed = await one.select().single().throwOnError();
      return [made.data.title, changed.data.completed];
    },
    { client, url, token: newToken() },
  );
  expect(seen).toEqual(["Bread", true]);
});
