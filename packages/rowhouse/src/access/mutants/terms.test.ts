import { expect, test } from "vitest";
import { listVariants } from "./terms.ts";

test("mutants change each term of a condition, also one that stands in an alternative", () => {
  const condition = "((a = b) AND ((c = d) OR (e AND (NOT (f AND g)))) AND (h = ') AND ('::text))";
  expect(listVariants(condition, () => null)).toEqual([
    "((c = d) OR (e AND (NOT (f AND g)))) and (h = ') AND ('::text)",
    "(a = b) and (h = ') AND ('::text)",
    "(a = b) and ((c = d) or (NOT (f AND g))) and (h = ') AND ('::text)",
    "(a = b) and ((c = d) or (e)) and (h = ') AND ('::text)",
    "(a = b) and ((c = d) OR (e AND (NOT (f AND g))))",
  ]);
  expect(listVariants("((a = b) OR (c AND d))", (term) => `not (${term})`)).toEqual([
    "(not (a = b)) or (c AND d)",
    "(a = b) or (not (c AND d))",
    "(a = b) or ((not (c)) and (d))",
    "(a = b) or ((c) and (not (d)))",
  ]);
  expect(listVariants("(a = b)", (term) => `not (${term})`)).toEqual(["not (a = b)"]);
  expect(listVariants("((a = b) OR c)", () => null)).toEqual([]);
});
