import { expect, test } from "vitest";
import type { AccessModel, Relation } from "./model.ts";
import { findTable, readableName, sqlName } from "./names.ts";

const relation = (name: string, kind: Relation["kind"] = "table") => ({ name, kind }) as Relation;
const model: AccessModel = {
  relations: [relation("tasks"), relation("users"), relation("titles", "view")],
  functions: [],
};

test("a table is found by its name, with or without the schema", () => {
  expect(findTable(model, "tasks").name).toBe("tasks");
  expect(findTable(model, "api.users").name).toBe("users");
});

test.each([
  ["taks", /^There is no table api\.taks\. Did you mean tasks\?$/],
  ["user", /Did you mean users\?$/],
  ["invoices", /^There is no table api\.invoices\.$/],
  ["titles", /^api\.titles is a view: it has no policies of its own\.$/],
])("%s is refused, with the nearest table if there is one", (name, message) => {
  expect(() => findTable(model, name)).toThrow(message);
});

test("a name is quoted in SQL that runs, and in SQL that is read only where it must be", () => {
  expect(sqlName('My "notes"')).toBe('api."My ""notes"""');
  expect(["tasks", "My notes", "2do", "_a$1"].map(readableName)).toEqual([
    "tasks",
    '"My notes"',
    '"2do"',
    "_a$1",
  ]);
});
