import { expect, test } from "vitest";
import { createIfMissing, keepRoles } from "./roles.ts";
import { changesRoles, readStatement } from "./statement.ts";

test.each([
  ["create role staff nosuperuser inherit login", "'staff'", "create role staff login;"],
  [
    `create role "web anon" with nologin noinherit`,
    "'web anon'",
    `create role "web anon" nologin noinherit;`,
  ],
  [`create role "it's ""all"""`, `'it''s "all"'`, `create role "it's ""all""";`],
  [`create role "with"`, "'with'", `create role "with";`],
])("a role of any name is made where it is missing: %s", (sql, name, create) => {
  const block = createIfMissing(sql);
  expect(block).toContain(`rolname = ${name})`);
  expect(block).toContain(create);
});

test("a statement that only speaks of a role that is made stays as it is", () => {
  const sql = "comment on table api.tasks is\n  'create role staff'";
  expect(createIfMissing(sql)).toBe(sql);
});

test("what takes from a role that stays is left out, whatever it is called", () => {
  const statements = [
    `revoke "web anon" from authenticator`,
    `revoke staff from "web anon"`,
    "revoke staff from authenticator",
    `grant "web anon" to authenticator`,
  ];
  expect(keepRoles(statements, ["web anon"])).toEqual(statements.slice(2));
});

test.each([
  [`grant "web anon" to authenticator`, true],
  [`alter role "web anon" set statement_timeout = '5s'`, true],
  [createIfMissing("create role staff"), true],
  [`grant select on api.tasks to "web anon"`, false],
  ["comment on table api.tasks is\n  '\ngrant staff to b\n'", false],
])("PostgREST reads its settings again after what changes roles: %s, %s", (sql, changes) => {
  expect(changesRoles(readStatement(sql).tree)).toBe(changes);
});
