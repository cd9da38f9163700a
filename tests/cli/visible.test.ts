import { expect, test } from "vitest";
import { visible } from "../../cli/visible.ts";

const control = (code: number) => String.fromCharCode(code);

test("what other people wrote does nothing to a terminal", () => {
  expect(visible(`a${control(27)}]0;owned${control(7)}b${control(0x9b)}2J`)).toBe(
    "a\\u001b]0;owned\\u0007b\\u009b2J",
  );
  expect(visible(`over${"\r"}written${control(8)}`)).toBe("over\\u000dwritten\\u0008");
  expect(visible(`abc${control(0x202e)}cba`)).toBe("abc\\u202ecba");
  expect(visible(`${control(0x2066)}abc${control(0x2069)}`)).toBe("\\u2066abc\\u2069");
});

test("what belongs to a text stays", () => {
  const text = "a\tb\r\nñ 日本 🎉 \u200d";
  expect(visible(text)).toBe(text);
});
