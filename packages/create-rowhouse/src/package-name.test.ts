import { expect, test } from "vitest";
import { isPackageName, suggestPackageName } from "./package-name.ts";

test.each(["my-app", "app", "2do", "a.b_c", "a".repeat(214)])("%j is a package name", (name) => {
  expect(isPackageName(name)).toBe(true);
});

test.each([
  ["My App", "my-app"],
  ["Überblick", "uberblick"],
  ["  spaces  ", "spaces"],
  ["-x", "x"],
  ["_private", "private"],
  [".hidden", "hidden"],
  ["a/b", "a-b"],
  ["what?!", "what"],
  ["$(reboot)", "reboot"],
  ["列表", "my-app"],
  ["", "my-app"],
  ["node_modules", "my-app"],
  ["A".repeat(300), "a".repeat(214)],
])("%j is no package name; the nearest is %j", (text, suggestion) => {
  expect(isPackageName(text)).toBe(false);
  expect(suggestPackageName(text)).toBe(suggestion);
  expect(isPackageName(suggestion)).toBe(true);
});
