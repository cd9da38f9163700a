import { expect, test } from "vitest";
import type { Finding } from "../../cli/doctor/check.ts";
import { rowhouse, startStack } from "../support/cli.ts";

test("A DBA asks the doctor about a stack that runs, before and after a setting was changed", async () => {
  const stack = await startStack();
  const well = await rowhouse(["doctor", "--json"], stack.env);
  const findings: Finding[] = JSON.parse(well.stdout);
  // How much room there is, is the machine's.
  expect(
    findings.filter(({ level, message }) => level === "wrong" && !/disk/.test(message)),
  ).toEqual([]);
  const changed = await rowhouse(["doctor"], { ...stack.env, MAX_ROWS: "7" });
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain("wrong [settings] PGRST_DB_MAX_ROWS is not what");
});
