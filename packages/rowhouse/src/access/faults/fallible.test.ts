import { expect, test } from "vitest";
import { findFallible, raisesError } from "./fallible.ts";

const around = {
  columns: new Map([
    ["title", "text"],
    ["code", "character varying(9)"],
    ["position", "integer"],
    ["created_at", "timestamp with time zone"],
    ["data", "jsonb"],
  ]),
  raising: new Set(["request.org"]),
};

test.each([
  ["((1 / (char_length(title) - 11)) > 0)", "divides by an expression over title"],
  ["((10 % position) = 1)", "divides by position"],
  ["((title)::date > now())", "casts title to date"],
  ["((lower(code))::uuid = id)", "casts an expression over code to uuid"],
  ["(((data ->> 'n'::text))::integer > 1)", "casts an expression over data to int4"],
  ["(((data -> 'n'::text))::integer > 1)", "casts an expression over data to int4"],
  ["((((created_at)::text))::date > now())", "casts an expression over created_at to date"],
  [
    "((((current_setting('request.jwt.claims'::text))::json ->> 'org'::text))::uuid = id)",
    "casts an expression to uuid",
  ],
  [
    "(EXISTS ( SELECT FROM jsonb_array_elements(data) one))",
    "calls jsonb_array_elements(), which refuses some values",
  ],
  ["(request.org() = id)", "calls request.org(), which raises an error"],
  ["CASE WHEN ((1 / position) > 0) THEN true ELSE false END", "divides by position"],
])("what fails for some values is found: %s", (sql, reason) => {
  expect(findFallible(sql, around)).toEqual([reason]);
});

test.each([
  "(user_id = request.user_id())",
  "((position / 2) > 1)",
  "(((position)::numeric / '-2.5'::numeric) > (1)::numeric)",
  "((10 / NULLIF(position, 0)) > 1)",
  "((10 / GREATEST(position, 1)) > 1)",
  "CASE WHEN (position > 0) THEN ((1 / position) > 0) ELSE false END",
  "((created_at)::date = CURRENT_DATE)",
  "((title)::character varying(3) = 'a'::text)",
  "(((data ->> 'n'::text))::text = 'a'::text)",
  "(((current_setting('request.jwt.claims'::text))::json ->> 'org'::text) = title)",
  "(id = '019aa000-0000-7000-8000-00000000000a'::uuid)",
  "(other.org() = id)",
  "this is no expression",
])("what fails for no value, or for all, is not: %s", (sql) => {
  expect(findFallible(sql, around)).toEqual([]);
});

test.each([
  ["raise exception 'No.';", true],
  ["if true then raise insufficient_privilege; end if;", true],
  ["raise sqlstate 'PT403';", false],
  ["raise exception 'No.' using errcode = 'PT401';", false],
  ["raise notice 'No.';", false],
])("a function raises an error where it does so itself, and no status: %s", (body, raises) => {
  const definition = `create function f() returns boolean language plpgsql as $$ begin ${body} return true; end $$`;
  expect(raisesError(definition)).toBe(raises);
});
