import { describe, expect, test } from "vitest";
import { JsonNumber, parseJson, stringifyJson } from "./json.ts";

describe("JSON that is parsed and written keeps its numbers", () => {
  test.each([
    "9007199254740993",
    "-9007199254740993",
    '{"person_id":9007199254740993,"m":1}',
    '{"a":[{"b":[9007199254740993,0.1000000000000000055]}]}',
    "1e400",
    "-0",
    "12.50",
    "1E+2",
    "123456789012345678901234567890.123456789",
    '["a\\"9007199254740993",9007199254740993,"\\\\"]',
    '{"9007199254740993":1,"__proto__":9007199254740993}',
    '{"n":"9007199254740993","x":"1e400","u":"\\u0031e400"}'.replace("\\u0031", "1"),
    "[]",
    "null",
    '""',
  ])("%s", (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });
});

test("a number that JavaScript prints as it was written is one; another keeps its text", () => {
  expect(parseJson('{"a":[1,-2.5,1e+308,9007199254740992,"1.0"]}')).toEqual({
    a: [1, -2.5, 1e308, 9007199254740992, "1.0"],
  });
  const number = new JsonNumber("9007199254740993");
  expect(parseJson('{"n":9007199254740993}')).toEqual({ n: number });
  expect(`${number} ${JSON.stringify({ number })}`).toBe(
    '9007199254740993 {"number":"9007199254740993"}',
  );
});

test("what is indented keeps its numbers, and what is no JSON is refused", () => {
  expect(stringifyJson({ n: parseJson("1e400") }, { space: 2 })).toBe('{\n  "n": 1e400\n}');
  for (const text of ["", "{", "01", "[1e400,]", "9007199254740993 1"])
    expect(() => parseJson(text), text).toThrow(SyntaxError);
});

test("a long string costs no stack", () => {
  const text = `["${'a\\"'.repeat(5_000_000)}",1e400]`;
  expect(stringifyJson(parseJson(text)) === text).toBe(true);
});
