import { expect, test } from "vitest";
import { toAlterPolicy, toReplacement } from "./rewrite.ts";

test.each([
  ["create function api.f() returns int", "create or replace function api.f() returns int"],
  [
    "-- create function\n  CREATE FUNCTION f()",
    "-- create function\n  CREATE or replace FUNCTION f()",
  ],
  ["create or replace function f()", "create or replace function f()"],
])("a function is replaced, however it is written: %s", (source, wanted) => {
  expect(toReplacement(source)).toBe(wanted);
});

test.each([
  [
    "create policy own on api.tasks\nas permissive\nfor select to authenticated\nusing (true)",
    "alter policy own on api.tasks\nto authenticated\nusing (true)",
  ],
  [
    "  CREATE POLICY \"for all\" ON api.tasks\n  FOR ALL\n  USING (a = 'for')",
    "  alter POLICY \"for all\" ON api.tasks\n  USING (a = 'for')",
  ],
  ["create policy own on t with check (true)", "alter policy own on t with check (true)"],
])("a policy is altered, however it is written: %s", (source, wanted) => {
  expect(toAlterPolicy(source)).toBe(wanted);
});
