import { expect, test } from "vitest";
import { formatQuery, quote, quoteName, quoteValue } from "./names.ts";

test.each([
  ["title", "title"],
  ["_a1", "_a1"],
  ["limit", '"limit"'],
  ["on_conflict", '"on_conflict"'],
  ["Title", '"Title"'],
  ["1a", '"1a"'],
  ["a.b", '"a.b"'],
  ['a"b\\', '"a\\"b\\\\"'],
])("The name %s is written %s", (name, written) => {
  expect(quoteName(name)).toBe(written);
});

test.each([
  ["01a1fc1a-1af7-7091-ae34-6701d416325b", "01a1fc1a-1af7-7091-ae34-6701d416325b"],
  ["", '""'],
  ["a b", '"a b"'],
  ["é", '"é"'],
  ["(", '"("'],
])("The value %s is written %s", (value, written) => {
  expect(quoteValue(value)).toBe(written);
});

test("A quoted text escapes quotes and backslashes", () => {
  expect(quote('\\ "')).toBe('"\\\\ \\""');
});

test("A query keeps commas, and means the same", () => {
  const query = new URLSearchParams({ id: "in.(a,b)", t: "eq.%2C &=+#:" });
  expect(formatQuery(query)).toBe("id=in.%28a,b%29&t=eq.%252C+%26%3D%2B%23%3A");
  expect([...new URLSearchParams(formatQuery(query))]).toEqual([...query]);
});
