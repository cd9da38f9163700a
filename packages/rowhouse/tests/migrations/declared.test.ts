import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCatalog } from "../../src/schema/catalog/catalog.ts";
import { buildDeclared } from "../../src/schema/catalog/declared.ts";
import { splitStatements } from "../../src/schema/catalog/sql.ts";
import { findSubject } from "../../src/schema/catalog/subject.ts";
import { emptyDatabase } from "../../src/testing/database.ts";
import { copyProject } from "../support/project.ts";

/** Builds a copy of the project in which one text of a file is another; it has to fail. */
async function readFault(file: string, from: string, to: string): Promise<string> {
  const root = copyProject();
  const path = join(root, file);
  writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
  const failure = buildDeclared(await emptyDatabase(), root);
  await expect(failure).rejects.toMatchObject({ code: "declaration_failed" });
  return failure.then(String, (error: Error) => error.message);
}

test.each([
  [
    "a syntax error, where PostgreSQL gives the position",
    ["policies/tasks.sql", "using (user_id", "usig (user_id"],
    'policies/tasks.sql:43:1: syntax error at or near "usig"\n  43 | usig (user_id = request.user_id());\n       ^',
  ],
  [
    "a function that is not there, in a policy",
    ["policies/tasks.sql", "using (user_id = request.user_id", "using (user_id = request.usr_id"],
    "policies/tasks.sql:43:18: function request.usr_id() does not exist\n  43 | using (user_id = request.usr_id());\n                        ^",
  ],
  [
    "an operator that is not there, in a policy",
    ["policies/tasks.sql", "using (user_id =", "using (user_id =="],
    "policies/tasks.sql:43:16: operator does not exist: uuid == uuid\n  43 | using (user_id == request.user_id());\n                      ^",
  ],
  [
    "a type that is not there, and not what follows from it",
    ["sql/api/users.sql", "email text", "email texxt"],
    'sql/api/users.sql:3:9: type "texxt" does not exist\n  3 |   email texxt,\n              ^',
  ],
  [
    "an error that names nothing, at the statement",
    [
      "policies/users.sql",
      "for insert to authenticated\nwith check",
      "for insert to authenticated\nusing",
    ],
    "policies/users.sql:32:1: only WITH CHECK expression allowed for INSERT\n  32 | create policy insert_own on api.users\n       ^",
  ],
  [
    "the right column, behind tabs and characters of two units",
    ["policies/users.sql", "using (id =", "\tusing ('🎉' = '' orr id ="],
    `policies/users.sql:27:19: syntax error at or near "orr"\n  27 | \tusing ('🎉' = '' orr id = request.user_id());\n       \t${" ".repeat(17)}^`,
  ],
  [
    "the end of the transaction that all files run in",
    ["policies/users.sql", "create policy select_own", "commit;\n\ncreate policy select_own"],
    "policies/users.sql:25:1: a file cannot begin or end a transaction: all of them run in one\n  25 | commit;",
  ],
] as const)(
  "an error names its place in the file: %s",
  async (_what, [file, from, to], message) => {
    expect(await readFault(file, from, to)).toContain(message);
  },
);

test("a file may begin with the mark of its encoding, and end its lines as under Windows", async () => {
  const root = copyProject();
  const path = join(root, "policies/tasks.sql");
  writeFileSync(path, `\ufeff${readFileSync(path, "utf8").replaceAll("\n", "\r\n")}`);
  const [url, plain] = [await emptyDatabase(), await emptyDatabase()];
  await Promise.all([buildDeclared(url, root), buildDeclared(plain)]);
  expect(await readCatalog(url)).toEqual(await readCatalog(plain));
});

test("an error names both files that declare the same", async () => {
  const root = copyProject();
  writeFileSync(join(root, "policies/again.sql"), "create policy select_own on api.tasks;");
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    message: expect.stringMatching(/policies\/tasks\.sql:\d+:15: policy "select_own" .* already/),
    remedy: "policies/again.sql declares it, too: take one of the two out.",
  });
});

test("a folder that is missing is named", async () => {
  const root = copyProject();
  rmSync(join(root, "policies"), { recursive: true });
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    code: "declaration_failed",
    remedy: expect.stringContaining("Put policies back"),
  });
});

test("a statement is known by what it makes, whatever stands around it", () => {
  const sql = `
    -- a; comment
    create function api.f(a text) returns text language sql as $$ select ';' $$;
    /* ; */ CREATE POLICY select_own ON api.tasks using ("a;b" = E'\\';');
    create unique index tasks_title on api.tasks (title);
    create trigger step before update on api.tasks for each row execute function private.f()
  `;
  expect(splitStatements(sql).map(({ text }) => findSubject(text))).toEqual([
    "function api.f",
    "policy select_own on api.tasks",
    "index api.tasks_title",
    "trigger step on api.tasks",
  ]);
  for (const { text, start } of splitStatements(sql)) {
    expect(sql.slice(start, start + text.length)).toBe(text);
  }
});

test.each([
  ["-- kinds\ninsert into api.kinds values (1);", "2:1: rows are not declared"],
  ["with a as (select 1) update api.tasks set title = '';", "rows are not declared"],
  ["copy api.tasks from stdin;", "rows are not declared"],
  ["create temporary table api_kinds (a int);", "what is temporary"],
  ["create table pg_temp.kinds (a int);", "what is temporary"],
  ["ALTER ROLE authenticated IN DATABASE postgres SET statement_timeout = 0;", "names a database"],
  ["alter database postgres set row_security = off;", "names a database"],
  ["grant create on database postgres to anonymous;", "names a database"],
  ["comment on database postgres is 'Ours';", "names a database"],
  ["alter role authenticated password 'secret';", "holds a secret"],
  ["create user mapping for public server there options (password 'a');", "holds a secret"],
  ["create subscription s connection '' publication p;", "holds a secret"],
])("what nothing would compare is refused with its place: %s", async (sql, reason) => {
  const root = copyProject();
  writeFileSync(join(root, "sql/api/kinds.sql"), sql);
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    code: "declaration_refused",
    message: expect.stringMatching(new RegExp(`sql/api/kinds\\.sql:(?:1:1: .*|)${reason}`)),
    remedy: expect.stringContaining("Take it out"),
  });
});

test.each([
  "do $$ begin insert into api.kinds values (1); end $$;",
  "create table api.kinds_too as select 1 as a;",
])("rows that no text shows are refused, too: %s", async (sql) => {
  const root = copyProject();
  writeFileSync(join(root, "sql/api/kinds.sql"), `create table api.kinds (a int);\n${sql}`);
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    code: "declaration_refused",
    message: expect.stringMatching(/put rows into api\.kinds/),
  });
});

test.each([
  "create table api.kinds (a int);\ncreate function api.add() returns void language sql as 'insert into api.kinds values (1)';",
  "create materialized view api.kinds as select 1 as a;",
  "alter role authenticated set statement_timeout = 0;",
  "alter role authenticated password null;",
])("what is compared can be declared: %s", async (sql) => {
  const root = copyProject();
  writeFileSync(join(root, "sql/api/kinds.sql"), sql);
  await buildDeclared(await emptyDatabase(), root);
});
