import { expect, test } from "vitest";
import { InvalidError } from "./errors.ts";
import type { ColumnKind } from "./types.ts";
import { encodeRow, kindOf } from "./values.ts";

const columns: Record<string, ColumnKind> = { n: "exact", r: "number", j: "json", a: "exact[]" };
const info = { key: [], owner: null, newId: null, columns, nullable: [], references: {} };

test.each([
  [
    { n: 5, r: 0.5 },
    { n: 5, r: 0.5 },
  ],
  [{ n: 2n ** 60n }, { n: "1152921504606846976" }],
  [{ a: [2n ** 60n, 1] }, { a: ["1152921504606846976", 1] }],
  [{ r: Number.NaN }, { r: "NaN" }],
  [{ r: -Infinity }, { r: "-Infinity" }],
  [{ r: 2 ** 70 }, { r: 2 ** 70 }],
  [{ j: [2 ** 70] }, { j: [2 ** 70] }],
])("A row is sent with values that PostgreSQL reads: %o", (row, sent) => {
  expect(encodeRow(row, info)).toEqual(sent);
});

test("A Date is sent as its moment, and one that is none is refused", () => {
  expect(encodeRow({ t: new Date(0) }, info)).toEqual({ t: "1970-01-01T00:00:00.000Z" });
  expect(() => encodeRow({ t: new Date(Number.NaN) }, info)).toThrow(InvalidError);
});

test.each([{ n: 2 ** 53 }, { a: [1, -(2 ** 53)] }])("A rounded number is refused: %o", (row) => {
  expect(() => encodeRow(row, info)).toThrow(InvalidError);
});

test("A column that the types do not know counts as text, whatever its name", () => {
  expect(kindOf(info, "n")).toBe("exact");
  expect(kindOf(info, "constructor")).toBe("text");
});
