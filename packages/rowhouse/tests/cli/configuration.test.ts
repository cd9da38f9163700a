import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkConfiguration } from "../../src/health/doctor/checks/configuration.ts";
import { readProject } from "../../src/lib/project.ts";
import { readSettings } from "../../src/stack/settings.ts";
import { migratedClone } from "../../src/testing/database.ts";
import { launchStack, startStack } from "../support/cli.ts";
import { copyProject, editFile } from "../support/project.ts";

const wrongNames = [
  ["db-schemas", 'db-schemas = "api"', 'db-schemas = "nope"', "the database has no such schema"],
  ["db-anon-role", '"anonymous"', '"nope"', "the server has no such role"],
  ["db-pre-request", '"request.check"', '"request.chekc"', "the database has no such function"],
] as const;

describe("postgrest.conf that names what is not there", () => {
  test.each(wrongNames)(
    "in %s keeps the stack from starting, and says so",
    async (_, from, to, why) => {
      const project = copyProject();
      editFile(project, "postgrest.conf", from, to);
      const stack = await launchStack({}, "start", project);
      expect(await stack.ended).toBe(1);
      expect(stack.output()).toContain("[settings_invalid]");
      expect(stack.output()).toContain(why);
    },
  );

  test.each(wrongNames)("in %s is found by the doctor", async (key, from, to, why) => {
    const project = copyProject();
    editFile(project, "postgrest.conf", from, to);
    const settings = readSettings({}, readProject(project));
    const found = await checkConfiguration({ url: await migratedClone(), settings });
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
    expect(found[0]?.message).toContain(key);
  });
});

test("Without a pre-request check the start warns, and the doctor finds it", async () => {
  const project = copyProject();
  editFile(project, "postgrest.conf", 'db-pre-request = "request.check"', "");
  const stack = await startStack({}, "start", project);
  expect(stack.output()).toContain("Warning: postgrest.conf names no db-pre-request");
  const settings = readSettings({}, readProject(project));
  expect(await checkConfiguration({ url: await migratedClone(), settings })).toMatchObject([
    { level: "wrong" },
  ]);
});

test("The project's own postgrest.conf fits its database", async () => {
  const settings = readSettings({}, readProject(copyProject()));
  expect(await checkConfiguration({ url: await migratedClone(), settings })).toEqual([]);
});

test.each([
  [
    [],
    'rowhouse: give an object: { "types": "<file>", "users": "<table or query>", "userRole": "<role>", "lint": { … } }.',
  ],
  [{ lint: [] }, 'rowhouse.lint: give an object of rules: { "awkward_names": "the reason" }.'],
  [{ lint: { awkward_names: 1 } }, "rowhouse.lint.awkward_names: give a reason, or an object: {"],
  [{ types: 1 }, "rowhouse.types: give the path of a file."],
  [{ users: "people" }, 'rowhouse.users: give a table as "schema.table", or a query: "select'],
  [{ users: 1 }, 'rowhouse.users: give a table as "schema.table", or a query: "select'],
  [{ linnt: {} }, "rowhouse: there is no such setting: linnt."],
])("A fault in package.json is reported in its own words: %j", (rowhouse, message) => {
  const project = copyProject();
  writeFileSync(join(project, "package.json"), JSON.stringify({ rowhouse }));
  expect(() => readProject(project)).toThrow(
    expect.objectContaining({
      code: "settings_invalid",
      message: expect.stringContaining(`has faults:\n  ${message}`),
    }),
  );
});
