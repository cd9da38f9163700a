import { describe, expect, test } from "vitest";
import { isExact, keepDigits } from "./json.ts";

describe("A number that JavaScript would round becomes a string", () => {
  test.each([
    ["9007199254740993", '"9007199254740993"'],
    ["-9007199254740993", '"-9007199254740993"'],
    ['{"n":9007199254740993,"m":1}', '{"n":"9007199254740993","m":1}'],
    ["[0.1000000000000000055]", '["0.1000000000000000055"]'],
    ["1e400", '"1e400"'],
    ['["a\\"9007199254740993",9007199254740993]', '["a\\"9007199254740993","9007199254740993"]'],
    ['{"\\\\":9007199254740993}', '{"\\\\":"9007199254740993"}'],
  ])("%s", (text, kept) => {
    expect(keepDigits(text)).toBe(kept);
    expect(JSON.parse(kept)).toBeDefined();
  });
});

describe("Everything else stays as it is", () => {
  test.each([
    "9007199254740992",
    "0.30000000000000004",
    "1e+308",
    "1.7976931348623157e308",
    "5e-324",
    "-0.0",
    "12.50",
    "100000000000000000000",
    '"9007199254740993"',
    '{"9007199254740993":1}',
    "true",
    "",
    "<html>9007199254740993",
  ])("%s", (text) => {
    if (text.startsWith("<")) expect(() => JSON.parse(keepDigits(text))).toThrow();
    else expect(keepDigits(text)).toBe(text);
  });
});

test("Random numbers are exact if and only if JavaScript prints their value", () => {
  for (let at = 0; at < 2_000; at += 1) {
    const double = (Math.random() - 0.5) * 10 ** (Math.random() * 600 - 300);
    expect(isExact(String(double)), String(double)).toBe(true);
    const integer = BigInt(Math.floor(Math.random() * 2 ** 53)) * 1_024n + BigInt(at);
    expect(isExact(String(integer)), String(integer)).toBe(
      String(Number(integer)) === String(integer),
    );
  }
});
