import { expect, test } from "vitest";
import { distribute } from "./files.ts";

test("tables whose names differ by case alone share a file", () => {
  const files = distribute(
    [
      'create table public."User" (id int)',
      "create table public.user_ (id int)",
      'create table public."user" (id int)',
    ],
    { kinds: new Map(), owners: new Map() },
  );
  expect(files.get("sql/public/User.sql")).toBe(
    'create table public."User" (id int);\n\ncreate table public."user" (id int);\n',
  );
  expect([...files.keys()]).not.toContain("sql/public/user.sql");
});
