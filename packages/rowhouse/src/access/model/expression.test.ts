import { expect, test } from "vitest";
import { parse, write } from "./expression.ts";

test.each([
  ["(a = 1)"],
  ["f(a, 'it''s (', b[1])"],
  [`"A ""b""" = 'C'`],
  ["(a)::text || 'x'::text"],
  ["exists (select 1 from api.t where (t.a <> -1.5))"],
  ["name = 'ñ 日本' and größe > $1"],
])("%s is written as it was parsed", (sql) => {
  expect(write(parse(sql))).toBe(sql);
});

test("keywords and plain names are lowered, strings and quoted names are not", () => {
  expect(write(parse(`A AND "B" = 'C'`))).toBe(`a and "B" = 'C'`);
});

test("line breaks and runs of spaces become one space", () => {
  expect(write(parse("a\n   AND\tb"))).toBe("a and b");
});

test("parentheses and brackets are groups, and what a string holds is not", () => {
  expect(parse("f(')')")).toEqual([
    { text: "f", spaced: false },
    { open: "(", nodes: [{ text: "')'", spaced: false }], spaced: false },
  ]);
  expect(parse("a [1]")[1]).toMatchObject({ open: "[", spaced: true });
});
