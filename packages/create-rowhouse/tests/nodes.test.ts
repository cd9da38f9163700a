import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProject, emptyFolder } from "./support/project.ts";
import { shell } from "./support/run.ts";
import { startAndStop } from "./support/stack.ts";
import { pathWith } from "./support/tools.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));

describe.each([
  ["20.19", "10"],
  ["22", "10"],
  ["24", "11"],
  ["26", "11"],
])("With Node.js %s and npm %s", (node, npm) => {
  let remove: () => void;
  let project: string;
  let path: string | undefined;
  beforeAll(async () => {
    const folder = emptyFolder();
    remove = folder.remove;
    project = await createProject(folder.dir);
    path = await pathWith(`node@${node}`, `npm@${npm}`);
  });
  afterAll(() => remove());

  test("the project installs, starts, answers, stops, and tests its API", async ({ skip }) => {
    if (path === undefined) {
      const missing = `The registry has no node@${node} or no npm@${npm}: NOT TESTED.`;
      process.stdout.write(`\n*** ${missing}\n\n`);
      return skip(missing);
    }
    const env = { PATH: path };
    const versions = await shell("node --version && npm --version", project, env);
    expect(versions.split("\n")).toEqual([
      expect.stringMatching(`^v${node.replace(".", "\\.")}\\.`),
      expect.stringMatching(`^${npm}\\.`),
      "",
    ]);
    await startAndStop("npm install && npm start", project, env);
    expect(await shell("npx rowhouse --version", project, env)).toBe(`${version}\n`);
    expect(await shell("npx vitest run tests/http", project, env)).toMatch(/Tests .* passed/);
  });
});
