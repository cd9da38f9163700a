import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createProject, emptyFolder } from "./support/project.ts";
import { shell } from "./support/run.ts";
import { startAndStop } from "./support/stack.ts";
import { pathWith } from "./support/tools.ts";

// pnpm 10 is the last that reads its settings from package.json, too; 11 and later fail on an
// install script that nobody allowed. Both keep a package from what it does not depend on.
describe.each(["pnpm@10", "pnpm@latest"])("With %s", (pnpm) => {
  let remove: () => void;
  let project: string;
  let env: { PATH: string };
  beforeAll(async () => {
    const folder = emptyFolder();
    remove = folder.remove;
    project = await createProject(folder.dir);
    const path = await pathWith(pnpm);
    if (path === undefined) throw new Error(`The registry has no ${pnpm}.`);
    env = { PATH: path };
  });
  afterAll(() => remove());

  test("pnpm install && pnpm start serves, and ends with Ctrl-C", () =>
    startAndStop("pnpm install && pnpm start", project, env));

  test("pnpm install && pnpm test is green", async () => {
    const output = await shell("pnpm install && pnpm test", project, env);
    expect(output).not.toContain("Ignored build scripts");
    expect(output).toMatch(/Tests .* passed/);
  });

  test("The project compiles, and its types are current", async () => {
    await shell("pnpm check && pnpm exec rowhouse types --check", project, env);
  });
});

test("pnpm runs the packed create-rowhouse, which prints pnpm's commands", async () => {
  const { dir, remove } = emptyFolder();
  const path = await pathWith("pnpm@10");
  try {
    const line = `pnpm --package=${inject("tarballs").createRowhouse} dlx create-rowhouse my-app`;
    const output = await shell(line, dir, { PATH: path });
    expect(output).toContain("  cd my-app\n  pnpm install && pnpm start\n");
  } finally {
    remove();
  }
});
