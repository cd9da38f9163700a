import { expect, test } from "vitest";
import { hasRoom, scratchFolder } from "./scratch-folder.ts";

test("throwaway data goes where TMPDIR says, and only where there is room", () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = "/elsewhere";
  try {
    expect(scratchFolder()).toBe("/elsewhere");
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  expect(hasRoom("/", 1)).toBe(true);
  expect(hasRoom("/", Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(hasRoom("/nowhere", 1)).toBe(false);
});
