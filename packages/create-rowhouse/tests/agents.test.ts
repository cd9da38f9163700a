import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFolder, filesBelow, installedProject } from "./support/project.ts";
import { shell } from "./support/run.ts";

// Runs every command of AGENTS.md, in order, in a project that was just created.

const page = readFileSync(join(import.meta.dirname, "../../../AGENTS.md"), "utf8");

/** The commands in the code blocks of the page, with the heading that they stand below. */
const commands = page.split(/^## /m).flatMap((section) => {
  const heading = section.split("\n", 1)[0] ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)]
    .flatMap(([, block = ""]) => block.trim().split("\n"))
    .map((command) => ({ heading, command }));
});

let remove: () => void;
let project: string;
beforeAll(async () => {
  const folder = emptyFolder();
  remove = folder.remove;
  project = await installedProject(folder.dir);
});
afterAll(() => remove());

test("The page is short, and has commands for a table and for a policy", () => {
  expect(page.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  expect(new Set(commands.map(({ heading }) => heading))).toEqual(
    new Set(["Add a table", "Change a policy"]),
  );
});

test.each(commands)("$heading: $command", async ({ heading, command }) => {
  if (heading === "Change a policy" && command === firstBelow(heading)) changePolicy();
  await shell(command, project);
});

test("The files that the page names are there", () => {
  const files = filesBelow(project);
  const named = [...page.matchAll(/`((?:sql|policies|tests|client|docs)\/[\w./]+\w)`/g)];
  expect(named.length).toBeGreaterThan(5);
  for (const [, path] of named) expect(files).toContain(path);
});

function firstBelow(heading: string): string | undefined {
  return commands.find((one) => one.heading === heading)?.command;
}

/** What the page asks the reader to do by hand: a note with a certain title stays. */
function changePolicy(): void {
  edit(
    "policies/notes.sql",
    /(?<=for delete to authenticated\nusing \(user_id = request\.user_id\(\))/,
    " and title not like 'The second%'",
  );
  edit("tests/database/notes.sql", /(?<=delete from api\.notes\$\$\),\n {2})2(?=::bigint)/, "1");
}

function edit(path: string, from: RegExp, to: string): void {
  const file = join(project, path);
  const text = readFileSync(file, "utf8");
  expect(text).toMatch(from);
  writeFileSync(file, text.replace(from, to));
}
