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

test("what stands in a NOT is changed, too, and taken out of it where that opens something", () => {
  const dropped = (condition: string) => listVariants(condition, () => null);
  expect(dropped("(a AND (NOT (b OR c)))")).toEqual([
    "NOT (b OR c)",
    "a",
    "(a) and (not (c))",
    "(a) and (not (b))",
  ]);
  expect(dropped("(NOT (b AND c))")).toEqual([]);
  expect(listVariants("(NOT (b AND c))", (term) => `not (${term})`)).toEqual([
    "not (NOT (b AND c))",
    "not ((not (b)) and (c))",
    "not ((b) and (not (c)))",
  ]);
});

test("each result of a CASE is changed, where the CASE is a term itself", () => {
  const dropped = (condition: string) => listVariants(condition, () => null);
  const both = `CASE
    WHEN (kind = 'THEN false'::text) THEN (owner = id)
    WHEN b THEN CASE WHEN c THEN d ELSE e END
    ELSE true
END`;
  expect(dropped(both).map((sql) => sql.replace(/\s+/g, " "))).toEqual([
    "CASE WHEN (kind = 'THEN false'::text) THEN true WHEN b THEN CASE WHEN c THEN d ELSE e END ELSE true END",
    "CASE WHEN (kind = 'THEN false'::text) THEN (owner = id) WHEN b THEN true ELSE true END",
  ]);
  const inverted = listVariants("(CASE WHEN a THEN b ELSE false END)", (term) => `not (${term})`);
  expect(inverted).toEqual([
    "not (CASE WHEN a THEN b ELSE false END)",
    "CASE WHEN a THEN not (b) ELSE false END",
    "CASE WHEN a THEN b ELSE not (false) END",
  ]);
  expect(dropped("(CASE WHEN a THEN 'x' ELSE 'y' END = title)")).toEqual([]);
});
