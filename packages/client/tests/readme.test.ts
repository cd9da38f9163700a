import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile, packageRoot, writeFiles } from "./compile.ts";
import { type SignInService, startSignInService } from "./sign-in-service.ts";
import { type Api, claimsFor, cloneDatabase, projectRoot, sign, startApi } from "./support.ts";

const userId = "01a1fc1a-1af7-7091-ae34-6701d416325b";
const files = {
  "story.ts": buildStory(readFileSync(join(packageRoot, "README.md"), "utf8")),
  "database.types.ts": readFileSync(join(projectRoot, "client/database.types.ts"), "utf8"),
};

let api: Api;
let service: SignInService;
beforeAll(async () => {
  [api, service] = await Promise.all([
    cloneDatabase().then((url) => startApi(url)),
    startSignInService(),
  ]);
});
afterAll(async () => {
  await api.stop();
  await service.stop();
});

/** All snippets as one function: they follow one another, as in the page. */
function buildStory(page: string): string {
  const code = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block ?? "").join("\n");
  const lines = code.split("\n");
  const isImport = (line: string) => line.startsWith("import ");
  return [
    ...new Set(lines.filter(isImport)),
    "interface Session { readonly token: () => Promise<string> }",
    "interface Log { readonly log: (...values: unknown[]) => void }",
    "export async function story(session: Session, console: Log, url: string, authUrl: string): Promise<void> {",
    "  const { token } = session;",
    ...lines
      .filter((line) => !isImport(line))
      .map((line) => line.replace('"http://127.0.0.1:3000"', "url"))
      .map((line) => line.replace('"http://127.0.0.1:3001/auth"', "authUrl")),
    "  void me; void milk; void client;",
    "}",
    "",
  ].join("\n");
}

test("every snippet of the README compiles, as strictly as the package", () => {
  expect(compile(writeFiles(files))).toBe("");
});

test("every snippet of the README runs, and prints what the page says", async () => {
  const printed: unknown[][] = [];
  const session = { token: async () => sign(claimsFor(userId)) };
  const { story } = await import(join(writeFiles(files), "story.ts"));
  const log = (...values: unknown[]) => printed.push(values);
  await story(session, { log }, api.url, service.ownUrl);
  expect(printed).toEqual([
    ["EMAIL_NOT_VERIFIED"],
    ["It is now", expect.objectContaining({ title: "Rye bread" })],
    [true],
    ["Rye bread"],
    [0, 1, `${userId}@example.com`],
    [2, "Rye bread"],
    ["title", "tasks_title_length"],
    [[{ name: null, tasks: [{ count: 2 }] }], userId],
    ["Small"],
  ]);
});
