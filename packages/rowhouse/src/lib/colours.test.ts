import { expect, test } from "vitest";
import { type OutputContext, wantsColours } from "./colours.ts";

const both = [true, true];

test.each<[string, OutputContext, boolean]>([
  ["a terminal", { env: {}, terminals: both }, true],
  ["a terminal that knows none", { env: { TERM: "dumb" }, terminals: both }, false],
  ["results in a pipe", { env: {}, terminals: [undefined, true] }, false],
  ["a log of what happens", { env: {}, terminals: [true, undefined] }, false],
  ["a pipe in CI", { env: { CI: "true" }, terminals: [undefined, undefined] }, false],
  ["NO_COLOR", { env: { NO_COLOR: "1", FORCE_COLOR: "1" }, terminals: both }, false],
  ["an empty NO_COLOR", { env: { NO_COLOR: "" }, terminals: both }, true],
  ["FORCE_COLOR", { env: { FORCE_COLOR: "1" }, terminals: [undefined, undefined] }, true],
])("colours in %s", (_what, dependencies, wanted) => {
  expect(wantsColours(dependencies)).toBe(wanted);
});
