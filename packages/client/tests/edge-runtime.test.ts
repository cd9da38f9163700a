import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot, writeFiles } from "./compile.ts";
import { runInEdge } from "./edge.ts";
import {
  type Api,
  claimsFor,
  cloneDatabase,
  projectRoot,
  sign,
  signIn,
  startApi,
} from "./support.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi(await cloneDatabase());
});
afterAll(() => api.stop());

/**
 * Runs an app of the client's sources in the edge runtime, as a new user.
 *
 * @param body What the app does with `db`, and returns.
 */
async function runApp(body: string): Promise<unknown> {
  const dir = writeFiles({
    "app.ts": buildApp(body),
    "database.types.ts": readFileSync(join(projectRoot, "client/database.types.ts"), "utf8"),
  });
  const { outputFiles } = await build({
    entryPoints: [join(dir, "app.ts")],
    alias: { "@rowhouse/client": join(packageRoot, "src/index.ts") },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "app",
    // A built-in module of Node.js is then an error.
    platform: "browser",
  });
  const { id } = await signIn(api);
  return runInEdge(outputFiles[0]?.text ?? "", { url: api.url, token: sign(claimsFor(id)) });
}

function buildApp(body: string): string {
  return `
    import * as client from "@rowhouse/client";
    import { type Database, tables } from "./database.types.ts";

    export async function run(url: string, token: string): Promise<unknown> {
      const db = client.createClient<Database, typeof tables>({ url, token }, tables);
      ${body}
    }
  `;
}

test("the edge runtime of these tests has nothing of Node.js", async () => {
  const body = 'return ["process", "require", "Buffer"].filter((name) => name in globalThis);';
  expect(await runApp(`void db; ${body}`)).toEqual([]);
});

test("the client creates rows and lists them in pages where there is no Node.js", async () => {
  const pages = await runApp(`
    for (const title of ["one", "two", "three"]) await db.tasks.create({ title });
    const first = await db.tasks.list({ limit: 2 });
    const second = await db.tasks.list({ limit: 2, after: first.next });
    return [first, second].map(({ items }) => items.map(({ title }) => title));
  `);
  expect(pages).toEqual([["three", "two"], ["one"]]);
});

test("a refused row is an InvalidError where there is no Node.js", async () => {
  const seen = await runApp(`
    const error = await db.tasks.create({ title: " " }).catch((thrown: unknown) => thrown);
    return error instanceof client.InvalidError ? [error.status, error.column, error.rule] : String(error);
  `);
  expect(seen).toEqual([400, "title", "tasks_title_not_blank"]);
});

// This runtime has no AbortSignal.any.
test("an aborted call throws AbortedError where there is no Node.js", async () => {
  const names = await runApp(`
    const nameOf = (error: unknown) => error instanceof client.AbortedError ? error.name : String(error);
    const controller = new AbortController();
    const underWay = client.createClient<Database, typeof tables>({
      url,
      token,
      fetch: (...args) => {
        const answer = fetch(...args);
        controller.abort();
        return answer;
      },
    }, tables);
    return [
      await db.tasks.list({ signal: AbortSignal.abort() }).catch(nameOf),
      await underWay.tasks.list({ signal: controller.signal }).catch(nameOf),
    ];
  `);
  expect(names).toEqual(["AbortedError", "AbortedError"]);
});
