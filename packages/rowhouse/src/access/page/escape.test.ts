import { describe, expect, test } from "vitest";
import { markdownCode, markdownText, xmlText } from "./escape.ts";

describe("text in Markdown", () => {
  test.each([
    ["plain text", "plain text"],
    ["two\n  lines ", "two lines"],
    ["a|b", "a\\|b"],
    ["*bold* _it_ `code`", "\\*bold\\* \\_it\\_ \\`code\\`"],
    ["snake_case stays", "snake_case stays"],
    ["[a](b) <c>", "\\[a\\](b) \\<c\\>"],
    ["# no heading", "\\# no heading"],
    ["1. no list", "1\\. no list"],
    ["- no list", "\\- no list"],
  ])("%j is written as %j", (text, escaped) => {
    expect(markdownText(text)).toBe(escaped);
  });
});

describe("SQL in Markdown", () => {
  test.each([
    ["a = 1", "`a = 1`"],
    ["a | b", "`a \\| b`"],
    ["a `b` c", "``a `b` c``"],
    ["`a", "`` `a ``"],
    ["a ``` b", "````a ``` b````"],
    ["a\r\nb\nc", "`a↵b↵c`"],
  ])("%j is written as %j", (sql, code) => {
    expect(markdownCode(sql)).toBe(code);
  });
});

test("text in XML closes no tag or attribute, and has no control characters", () => {
  expect(xmlText(`<a href="b">&amp;\u0000\u001f`)).toBe(
    "&lt;a href=&quot;b&quot;&gt;&amp;amp;\ufffd\ufffd",
  );
  expect(xmlText("tab\tline\n")).toBe("tab\tline\n");
});
