import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { withTemporaryFolder } from "./temporary.ts";

test("a temporary folder goes with its work, also with work that fails or whose process ends", async () => {
  const before = process.listeners("exit");
  let used = "";
  const failing = withTemporaryFolder("test", async (dir) => {
    used = dir;
    expect(existsSync(dir)).toBe(true);
    throw new Error("It fails.");
  });
  await expect(failing).rejects.toThrow("It fails.");
  expect(existsSync(used)).toBe(false);
  await withTemporaryFolder("test", async (dir) => {
    const atExit = process.listeners("exit").filter((one) => !before.includes(one));
    for (const one of atExit) one(0);
    expect(existsSync(dir)).toBe(false);
  });
  expect(process.listeners("exit")).toEqual(before);
});
