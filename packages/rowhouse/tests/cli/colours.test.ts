import { expect, test } from "vitest";
import { rowhouse } from "../support/cli.ts";

test.each([
  ["none in a pipe, also in CI", { CI: "true" }, false],
  ["asked for", { FORCE_COLOR: "1" }, true],
])("a failure has colours: %s", async (_what, variables, wanted) => {
  const { stderr } = await rowhouse(["start"], {
    API_PORT: "banana",
    NO_COLOR: "",
    FORCE_COLOR: "",
    ...variables,
  });
  expect(stderr).toContain("error");
  expect(stderr.includes("\u001b[")).toBe(wanted);
});
