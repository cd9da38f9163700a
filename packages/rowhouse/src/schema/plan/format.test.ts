import { expect, test } from "vitest";
import { formatStatement } from "./format.ts";

const style = (sql: string) => formatStatement(sql, new Set(["order", "user"]));

test.each([
  [
    "keywords in lower case, plain names without quotes",
    'DROP POLICY "own" ON "api"."tasks"',
    "drop policy own on api.tasks",
  ],
  [
    "names that need their quotes",
    'DROP TABLE "api"."order", "api"."Task", "api"."a""b"',
    'drop table api."order", api."Task", api."a""b"',
  ],
  [
    "strings as they are",
    'COMMENT ON TABLE "api"."tasks" IS \'A "B" C; AND (D)\'',
    "comment on table api.tasks is\n  'A \"B\" C; AND (D)'",
  ],
  [
    "doubled parentheses once",
    'ALTER TABLE "api"."t" ADD CONSTRAINT "c" CHECK (((a = 1) AND ((b = 2))))',
    "alter table api.t\n  add constraint c check ((a = 1) and (b = 2))",
  ],
  [
    "but not around a query, which they make a value",
    'CREATE POLICY "p" ON "api"."t" USING ((id = ANY ((SELECT ids FROM x))))',
    "create policy p on api.t\n  using (id = any ((select ids from x)))",
  ],
  [
    "row security on one line",
    'ALTER TABLE "api"."t" ENABLE ROW LEVEL SECURITY',
    "alter table api.t enable row level security",
  ],
  [
    "functions with their body untouched",
    "CREATE OR REPLACE FUNCTION api.f()\n RETURNS text\n LANGUAGE sql\n SET search_path TO ''\nAS $function$ SELECT 'A' || \"B\" $function$\n",
    "create or replace function api.f()\nreturns text\nlanguage sql\nset search_path = ''\nas $$ SELECT 'A' || \"B\" $$",
  ],
])("the project's SQL style: %s", (_what, sql, wanted) => {
  expect(style(sql)).toBe(wanted);
});
