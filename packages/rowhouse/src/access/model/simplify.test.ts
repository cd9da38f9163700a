import { expect, test } from "vitest";
import { simplify } from "./simplify.ts";

test.each([
  ["((user_id = request.user_id()))", "user_id = request.user_id()"],
  ["((a = 1) AND ((b = 2) AND (c = 3)))", "a = 1 and b = 2 and c = 3"],
  ["((a = 1) AND ((b = 2) OR (c = 3)))", "a = 1 and (b = 2 or c = 3)"],
  ["((a AND b) OR c)", "(a and b) or c"],
  ["(NOT (a AND b))", "not (a and b)"],
  ["(a AND (NOT (b IS DISTINCT FROM c)))", "a and b is not distinct from c"],
  ["((state)::text = 'Open'::text)", "state::text = 'Open'"],
  ["(((claims() ->> 'org'::text))::uuid = org)", "(claims() ->> 'org')::uuid = org"],
  ["(kind = ANY (ARRAY['a'::text, 'b'::text]))", "kind = any (array['a', 'b'])"],
  ["(kind = ANY ((ARRAY['a'::text])::kind[]))", "kind = any (array['a'::text]::kind[])"],
  ["(tags = (more || 'x'::text))", "tags = (more || 'x'::text)"],
  ["(f('x'::text) = ('now'::text)::date)", "f('x'::text) = ('now'::text)::date"],
  [`("A (b" = 'C) d  ''e'::text)`, `"A (b" = 'C) d  ''e'`],
  [`((name)::text = ('x'::text COLLATE "C"))`, `name::text = ('x'::text collate "C")`],
  ["(( SELECT me() AS me) = id)", "(select me() as me) = id"],
  [
    "(EXISTS ( SELECT 1\n   FROM api.t\n  WHERE ((t.a = b) AND (t.c > 1))))",
    "exists (select 1 from api.t where t.a = b and t.c > 1)",
  ],
  ["((a, b) = (1, 2))", "(a, b) = (1, 2)"],
  ["(((- 1))::bigint < n)", "(- 1)::bigint < n"],
  ["CASE WHEN (a = 1) THEN true ELSE (b = 2) END", "case when a = 1 then true else b = 2 end"],
])("%s is simplified to %s, and that to itself", (sql, wanted) => {
  expect(simplify(sql)).toBe(wanted);
  expect(simplify(wanted)).toBe(wanted);
});
