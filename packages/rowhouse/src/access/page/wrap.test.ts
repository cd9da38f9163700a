import { expect, test } from "vitest";
import { textWidth, wrap } from "./wrap.ts";

test("a long condition is broken into lines that fit, and ends with an ellipsis", () => {
  const lines = wrap(`${"word ".repeat(40)}${"界".repeat(40)} end`, 20, 30);
  expect(lines.every((line) => textWidth(line) <= 20)).toBe(true);
  expect(lines.join("").replaceAll(" ", "")).toBe(`${"word".repeat(40)}${"界".repeat(40)}end`);
  expect(wrap("word ".repeat(40), 20, 2)).toEqual(["word word word word", "word word word wor …"]);
});
