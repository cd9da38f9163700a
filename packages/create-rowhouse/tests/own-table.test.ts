import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFolder, filesBelow, installedProject } from "./support/project.ts";
import { shell } from "./support/run.ts";
import { processesOf, startAndStop } from "./support/stack.ts";

// A user who takes the table that came with the project for an example, and has their own instead.
// One story: each test goes on where the one before it ended.

let remove: () => void;
let project: string;
beforeAll(async () => {
  const folder = emptyFolder();
  remove = folder.remove;
  project = await installedProject(folder.dir);
});
afterAll(() => remove());

const read = (path: string) => readFileSync(join(project, path), "utf8");
const migrations = () => filesBelow(join(project, "db/migrations"));

/** The files that tell of tasks, in their names or in what they hold; but for the history. */
function filesAboutTasks(): string[] {
  return filesBelow(project).filter(
    (path) => /task/i.test(path) || /\btasks?\b|task.?list/i.test(read(path)),
  );
}

test("deletes each file that is named after tasks", async () => {
  const named = filesBelow(project).filter((path) => /tasks/.test(basename(path)));
  const deleted = named.filter((path) => !path.startsWith("db/migrations/"));
  expect(deleted).toEqual(expect.arrayContaining(["policies/tasks.sql", "sql/api/tasks.sql"]));
  for (const path of deleted) rmSync(join(project, path));
});

test("writes the files of a table of notes", async () => {
  await shell("npx rowhouse db table notes", project);
  expect(filesBelow(project)).toEqual(
    expect.arrayContaining(["policies/notes.sql", "sql/api/notes.sql", "tests/database/notes.sql"]),
  );
});

test("writes one migration, which is allowed to drop the table of tasks, and applies it", async () => {
  const before = migrations();
  await shell("npx rowhouse db migration notes_for_tasks --allow-drop api.tasks", project);
  expect(migrations()).toHaveLength(before.length + 1);
  expect(migrations().at(-1)).toMatch(/^\d{14}_notes_for_tasks\.sql$/);
  await shell("npx rowhouse migrate", project);
  await shell("npx rowhouse db check", project);
});

test.each(["types", "lint", "access"])("runs rowhouse %s", async (command) => {
  await shell(`npx rowhouse ${command}`, project);
});

test("has tests that notice each weakened access rule of the notes", async () => {
  // Those of the rest are tried in the repository, with the same tests.
  expect(await shell("npx rowhouse mutants --only notes", project)).toMatch(/100 ?%/);
});

test("backs up, and proves the backup", async () => {
  await shell("npx rowhouse backup", project);
  await shell("npx rowhouse drill", project);
});

test("compiles, and has green tests", async () => {
  await shell("npx tsc --noEmit", project);
  expect(await shell("npm test", project)).toMatch(/Tests .* passed/);
});

test("sees a line that works when the stack starts", async () => {
  await startAndStop("npm start", project);
});

test("has no file that tells of tasks, but the history", () => {
  expect(filesAboutTasks().filter((path) => !path.startsWith("db/migrations/"))).toEqual([]);
  expect(processesOf(project)).toEqual([]);
});
