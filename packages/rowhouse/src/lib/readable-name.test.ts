import { expect, test } from "vitest";
import { readableName } from "./readable-name.ts";

test("a name in SQL that is read is quoted only where it must be", () => {
  expect(["tasks", "My notes", "2do", "_a$1"].map(readableName)).toEqual([
    "tasks",
    '"My notes"',
    '"2do"',
    "_a$1",
  ]);
});
