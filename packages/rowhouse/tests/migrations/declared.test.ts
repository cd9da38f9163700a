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
    'policies/tasks.sql:32:1: syntax error at or near "usig"\n  32 | usig (user_id = request.user_id());\n       ^',
  ],
  [
    "a function that is not there, in a policy",
    ["policies/tasks.sql", "using (user_id = request.user_id", "using (user_id = request.usr_id"],
    "policies/tasks.sql:32:18: function request.usr_id() does not exist\n  32 | using (user_id = request.usr_id());\n                        ^",
  ],
  [
    "an operator that is not there, in a policy",
    ["policies/tasks.sql", "using (user_id =", "using (user_id =="],
    "policies/tasks.sql:32:16: operator does not exist: uuid == uuid\n  32 | using (user_id == request.user_id());\n                      ^",
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

/** A copy of the project with other files below sql/api. */
function projectWith(files: Readonly<Record<string, string>>): string {
  const root = copyProject();
  for (const [name, sql] of Object.entries(files))
    writeFileSync(join(root, "sql/api", `${name}.sql`), sql);
  return root;
}

test.each([
  [
    "two tables",
    "create table api.a (id int primary key, b int references api.b (id));",
    "create table api.b (id int primary key, a int references api.a (id));",
  ],
  [
    "functions in SQL, one with its body as a string",
    "create function api.a() returns int language sql as 'select api.b()';",
    "create function api.b() returns int language sql begin atomic select api.a(); end;",
  ],
  [
    "a view and a type",
    "create view api.a as select null::api.b as b;",
    "-- api.z\ncreate domain api.b as text check (value <> (api.a(null)));\ncreate function api.a(text) returns text language sql as 'select b::text from api.a';",
  ],
])("files that need each other are named, with the objects: %s", async (_what, a, b) => {
  const root = projectWith({ a, b, z: "create view api.z as select * from api.a" });
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    code: "declaration_failed",
    message:
      "What is declared cannot be built: files need each other, sql/api/a.sql -> sql/api/b.sql -> sql/api/a.sql.\n" +
      "  sql/api/a.sql needs api.b, which sql/api/b.sql makes\n" +
      "  sql/api/b.sql needs api.a, which sql/api/a.sql makes",
    remedy: expect.stringContaining("Break the circle"),
  });
});

test("files whose statements need each other are built a statement at a time", async () => {
  const root = projectWith({
    a: "create table api.a (id int primary key, b int);\nalter table api.a add foreign key (b) references api.b (id);\ncreate view api.d as select * from api.c;",
    b: "create table api.b (id int primary key, a int references api.a (id));\ncreate view api.e as select * from api.d;",
    c: "create view api.c as select a.id from api.a join api.b on a.b = b.id;",
  });
  const url = await emptyDatabase();
  await buildDeclared(url, root);
  const names = (await readCatalog(url)).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["api.a", "api.b", "api.c", "api.d", "api.e"]));
});

test("of files that cannot be built, the one that misses something is named, with the place", async () => {
  const root = projectWith({
    a: "create view api.a as select * from api.b;",
    // What b makes it never needs, so a is none of its causes.
    b: "create view api.x as select 'äöü' as a;\ncreate view api.b as\n  select * from api.nowhere;\n-- api.a",
  });
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    message:
      'What is declared cannot be built.\nsql/api/b.sql:3:17: relation "api.nowhere" does not exist\n  3 |   select * from api.nowhere;\n                      ^',
    remedy: "Correct the file, or add the one that declares what it names.",
  });
});

test.each([
  [
    "what the same file makes below",
    "create table api.a (id int primary key, b int references api.b (id));\ncreate table api.b (id int primary key, a int references api.a (id));",
    /sql\/api\/a\.sql:1:\d+: relation "api\.b" does not exist/,
    /^sql\/api\/a\.sql makes api\.b further below: move that up\. If each needs the other/,
  ],
  [
    "a drop of what is in use",
    "create type api.mood as enum ('a');\ncreate table api.a (mood api.mood);\ndrop type api.mood;",
    /sql\/api\/a\.sql:3:\d+: cannot drop type api\.mood because other objects depend on it/,
    /^Take the drop out: .* what stands in no file is dropped/,
  ],
])("the remedy fits: %s", async (_what, a, message, remedy) => {
  await expect(buildDeclared(await emptyDatabase(), projectWith({ a }))).rejects.toMatchObject({
    code: "declaration_failed",
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
  });
});

test.each([
  [
    "an index that is built concurrently",
    "create index concurrently a on api.tasks (title);",
    /kinds\.sql:1:1: .*`concurrently` cannot run in one/,
    /transaction:false/,
  ],
  [
    "dbmate's line in a string",
    "create table api.kinds (a int);\ncomment on table api.kinds is '\n-- migrate:down';",
    /kinds\.sql:3:1: dbmate splits a migration at such a line/,
    /indented by a space/,
  ],
  [
    "dbmate's line in a comment",
    "--migrate:up\ncreate table api.kinds (a int);",
    /kinds\.sql:1:1: dbmate splits/,
    /indented by a space/,
  ],
])("what a migration could not hold is refused: %s", async (_what, kinds, message, remedy) => {
  await expect(buildDeclared(await emptyDatabase(), projectWith({ kinds }))).rejects.toMatchObject({
    code: "declaration_refused",
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
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

const filling =
  "create function api.fill() returns void language sql as 'insert into api.kinds values (1)';\n";

test.each([
  ["a block", "do $$ begin insert into api.kinds values (1); end $$;", "2:1: this puts rows"],
  ["a query", "with a as (insert into api.kinds values (1) returning a) select a from a;", "2:1:"],
  ["a table's own query", "create table api.more_kinds as select 1 as a;", "2:1: this puts rows"],
  ["a function", `${filling}-- Fills it.\nselect api.fill();`, "4:1: this may put rows"],
])("rows that come by %s are refused, with the place", async (_what, sql, place) => {
  const root = copyProject();
  // A `do` block of the project's own names no such table, and is none of it.
  writeFileSync(join(root, "sql/api/kinds.sql"), `create table api.kinds (a int);\n${sql}`);
  await expect(buildDeclared(await emptyDatabase(), root)).rejects.toMatchObject({
    code: "declaration_refused",
    message: expect.stringMatching(
      new RegExp(
        `^(?:This|One of these) cannot be declared\\.\n.*sql/api/kinds\\.sql:${place}`,
        "s",
      ),
    ),
    remedy: expect.stringContaining("migration by hand"),
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
