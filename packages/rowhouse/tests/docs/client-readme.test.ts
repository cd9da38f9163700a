import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, claimsFor, sign, startApi } from "../../src/testing/api.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { projectRoot } from "../support/project.ts";

const readme = readFileSync(join(projectRoot, "client/README.md"), "utf8");
let api: Api;
let dir: string;

beforeAll(async () => {
  api = await startApi(await cloneDatabase());
  // Inside the project, so that the client is found by its name.
  mkdirSync(join(projectRoot, "node_modules/.cache"), { recursive: true });
  dir = mkdtempSync(join(projectRoot, "node_modules/.cache/readme-"));
  writeFileSync(join(dir, "story.ts"), storyOf(readme));
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await api.stop();
});

/** All snippets as one function: they follow one another, as in the page. */
function storyOf(page: string): string {
  const code = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block ?? "").join("\n");
  const isImport = (line: string) => line.startsWith("import ");
  const lines = code.split("\n");
  return [
    ...lines.filter(isImport),
    "interface Session { readonly token: () => Promise<string> }",
    "interface Log { readonly log: (...things: unknown[]) => void }",
    "export async function story(session: Session, console: Log, address: string): Promise<void> {",
    ...lines
      .filter((line) => !isImport(line))
      .map((line) => line.replace('"http://127.0.0.1:3000"', "address")),
    "  void me; void milk;",
    "}",
    "",
  ].join("\n");
}

test("every snippet of the client's README compiles, as strictly as the project", () => {
  const extend = { extends: join(projectRoot, "tsconfig.json"), include: ["story.ts"] };
  writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(extend));
  execFileSync(join(projectRoot, "node_modules/.bin/tsc"), ["--noEmit", "-p", dir], {
    stdio: "pipe",
  });
});

test("every snippet of the client's README runs, and says what the page says", async () => {
  const said: unknown[][] = [];
  const session = { token: async () => sign(claimsFor("01a1fc1a-1af7-7091-ae34-6701d416325b")) };
  const { story } = await import(join(dir, "story.ts"));
  await story(session, { log: (...things: unknown[]) => said.push(things) }, api.url);
  expect(said).toEqual([
    ["It is now", expect.objectContaining({ title: "Rye bread" })],
    [true],
    ["Rye bread"],
    [0, 1, "01a1fc1a-1af7-7091-ae34-6701d416325b@example.com"],
    ["title", "tasks_title_length"],
    [[{ name: null, tasks: [{ count: 2 }] }], "01a1fc1a-1af7-7091-ae34-6701d416325b"],
  ]);
});
