import { expect, test } from "vitest";
import { formatRowName, parseRowName } from "./row-name.ts";

test.each<[name: string, values: readonly string[] | null]>([
  ["7,sql", ["7", "sql"]],
  ['"v,1",2026-01-02', ["v,1", "2026-01-02"]],
  ['"say ""hi"", now",2', ['say "hi", now', "2"]],
  ['5" nail,2', ['5" nail', "2"]],
  [",", ["", ""]],
  ['"",x', ["", "x"]],
  ['"open,2', null],
  ['"a"b,2', null],
])("%s names a row by its values", (name, values) => {
  expect(parseRowName(name)).toEqual(values);
  if (values !== null) expect(parseRowName(formatRowName(values))).toEqual(values);
});
