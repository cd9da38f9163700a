import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startStack } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";
import { blockAfter } from "./page.ts";

const readme = readFileSync(join(projectRoot, "README.md"), "utf8");

test("the README's five minutes with curl work", async () => {
  const stack = await startStack();
  const script = blockAfter(readme, "## Five minutes with curl").replace(
    "http://127.0.0.1:3000",
    stack.url,
  );
  const env = { ...process.env, ...stack.env };
  // Each curl prints an answer without a line feed: one is added, to separate them.
  const lines = script.replaceAll("curl -s", "curl -s -w '\\n'");
  const { stdout } = await promisify(execFile)("sh", ["-ec", lines], { cwd: projectRoot, env });
  const [created, list, bobSees, bobChanges, ticked, anonymous] = stdout.split("\n");

  expect(created).toBe("");
  expect(JSON.parse(list ?? "")).toMatchObject([{ title: "Water the plants", completed: false }]);
  expect(bobSees).toBe("[]");
  expect(bobChanges).toBe("[]");
  expect(JSON.parse(ticked ?? "")).toMatchObject([{ completed: true }]);
  expect(JSON.parse(anonymous ?? "")).toMatchObject({ code: "42501" });
});
