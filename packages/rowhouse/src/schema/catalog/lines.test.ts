import { expect, test } from "vitest";
import { changedLines } from "./lines.ts";

test.each([
  ["a\nb\nc", "a\nx\nc", ["- b", "+ x"]],
  ["a", "a", []],
  ["", "a\nb", ["- ", "+ a", "+ b"]],
  ["a\nb\nc\nd", "b\nd\ne", ["- a", "- c", "+ e"]],
  ["a\nb", "b\na\nb", ["+ b"]],
])("from %j to %j only the changed lines are shown", (before, after, lines) => {
  expect(changedLines(before, after)).toEqual(lines);
});
