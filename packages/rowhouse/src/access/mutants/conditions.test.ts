import { expect, test } from "vitest";
import { listAnswerVariants, listSubqueryVariants } from "./conditions.ts";

const sqlOf = (variants: readonly { kind: string; sql: string }[], kind: string) =>
  variants.filter((one) => one.kind === kind).map(({ sql }) => sql.replace(/\s+/g, " "));

test("mutants change each condition of a subquery, also one in a join or deeper", () => {
  const condition = `(EXISTS ( SELECT
   FROM (api.members m
     JOIN api.groups g ON ((g.id = m.group_id)))
  WHERE ((m.user_id = request.user_id()) AND (m.role = ' WHERE ('::text) AND (g.id IN ( SELECT DISTINCT ON (o.id) o.id
           FROM api.open o
          WHERE o.visible
          ORDER BY o.id)))))`;
  const variants = listSubqueryVariants(condition);
  const dropped = sqlOf(variants, "term dropped");
  expect(dropped).toHaveLength(5);
  expect(dropped[0]).toContain("ON (true)) WHERE");
  expect(dropped[1]).toContain("WHERE ((m.role = ' WHERE ('::text) and (g.id IN");
  expect(dropped[2]).toContain("WHERE ((m.user_id = request.user_id()) and (g.id IN");
  expect(dropped[3]).toMatch(
    /WHERE \(\(m.user_id = request.user_id\(\)\) and \(m.role = ' WHERE \('::text\)\)\)\)$/,
  );
  expect(dropped[4]).toMatch(/WHERE \(true\)ORDER BY o.id\)+$/);
  const inverted = sqlOf(variants, "inverted");
  expect(inverted).toHaveLength(5);
  expect(inverted[1]).toContain("(not (m.user_id = request.user_id()))");
});

test("mutants open an OR of a subquery as a whole, and leave true alone", () => {
  const dropped = (condition: string) => sqlOf(listSubqueryVariants(condition), "term dropped");
  const [whole, inside, ...more] = dropped("(EXISTS ( SELECT FROM a WHERE ((b) OR (c AND d))))");
  expect(whole).toBe("(EXISTS ( SELECT FROM a WHERE (true)))");
  expect(inside).toContain("WHERE ((b) or (d))");
  expect(more).toHaveLength(1);
  expect(dropped("(EXISTS ( SELECT FROM a WHERE true))")).toEqual([]);
  expect(dropped("(id = request.user_id())")).toEqual([]);
});

test("mutants change each term of what a function says", () => {
  const dropped = (body: string) => sqlOf(listAnswerVariants(body), "term dropped");
  expect(dropped("RETURN ((a) AND (b))")).toEqual(["RETURN (b)", "RETURN (a)"]);
  expect(dropped("BEGIN ATOMIC\n SELECT ((a) AND (b)) AS both\n   FROM t;\nEND")).toEqual([
    "BEGIN ATOMIC SELECT (b)AS both FROM t; END",
    "BEGIN ATOMIC SELECT (a)AS both FROM t; END",
  ]);
  expect(dropped("RETURN (a OR b)")).toEqual([]);
});
