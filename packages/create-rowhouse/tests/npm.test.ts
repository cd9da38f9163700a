import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProject, emptyFolder } from "./support/project.ts";
import { shell } from "./support/run.ts";
import { startAndStop } from "./support/stack.ts";
import { pathWith } from "./support/tools.ts";

// The project with the Node.js that runs these tests and npm 11: everything that its README says.

let remove: () => void;
let project: string;
let env: { PATH: string };
beforeAll(async () => {
  const folder = emptyFolder();
  remove = folder.remove;
  project = await createProject(folder.dir);
  const path = await pathWith("npm@11");
  if (path === undefined) throw new Error("The registry has no npm@11.");
  env = { PATH: path };
});
afterAll(() => remove());

test("npm install && npm start serves, answers the request that it prints, and ends with Ctrl-C", () =>
  startAndStop("npm install && npm start", project, env));

test("npm install warns of no install script of a package from the registry", async () => {
  const output = await shell("rm -rf node_modules && npm install 2>&1", project, env);
  const warned = [...output.matchAll(/^npm warn install-scripts {3}(\S+)/gm)].map(
    ([, name]) => name,
  );
  // Of a tarball npm warns because of `prepare`, which no release from the registry runs.
  expect(warned.filter((name) => !/^(@rowhouse\/client|rowhouse)@/.test(name ?? ""))).toEqual([]);
});

test("npm install && npm test is green", async () => {
  const output = await shell("npm install && npm test", project, env);
  expect(output).toMatch(/Tests .* passed/);
  expect(output).not.toMatch(/\d failed/);
});

test("npm run check finds nothing", () => shell("npm run check", project, env));

test("The generated files are current", async () => {
  await shell("npx rowhouse types --check && npx rowhouse access --check", project, env);
});

test("rowhouse lint and db check find nothing", async () => {
  await shell("npx rowhouse lint && npx rowhouse db check", project, env);
});

test("The files that belong to the tool are those that rowhouse upgrade expects", async () => {
  const before = readFileSync(join(project, "rowhouse.lock.json"), "utf8");
  await shell("npx rowhouse upgrade", project, env);
  expect(readFileSync(join(project, "rowhouse.lock.json"), "utf8")).toBe(before);
});
