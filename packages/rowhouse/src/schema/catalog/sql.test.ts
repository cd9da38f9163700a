import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { quoteName, splitStatements, tokenize } from "./sql.ts";
import { findSubject, listSubjects } from "./subject.ts";

test.each([
  ["a comment in a comment", "/* a /* ; */ ; */ select 1; select 2", 2],
  ["a line comment with a semicolon", "-- a; b\nselect 1", 1],
  ["a semicolon in a string", "select ';'; select 2", 2],
  ["an escaped quote in an E string", "select E'\\';'; select e'a'';'", 2],
  ["a backslash at the end of a plain string", "select 'a\\'; select 2", 2],
  ["a quoted name", 'select 1 as "a;""b"; select 2', 2],
  ["dollar quotes with a tag, and others inside", "do $a$ begin; $$;$$; end $a$; select 1", 2],
  ["a tag of letters beyond ASCII", "do $ä$ ; $ä$; select 1", 2],
  [
    "a body that is SQL",
    "create function f() returns int begin atomic select 1; select 2; end; select 3",
    2,
  ],
  ["empty statements", "; ;select 1;;\n-- end\n;", 1],
  ["comments alone", "-- nothing\n/* at all */", 0],
  ["nothing", " ", 0],
  ["what is no SQL, left for PostgreSQL to refuse", "creat table a (); select 1", 1],
])("PostgreSQL's own parser splits statements: %s", (_what, sql, count) => {
  const statements = splitStatements(sql);
  expect(statements).toHaveLength(count);
  for (const { text, start } of statements)
    expect(sql.slice(start, start + text.length)).toBe(text);
});

test("a statement keeps the comments above it, wherever letters take several bytes", () => {
  const sql = "select 'ä🎉'; -- für\n /* über */ select 'ö' -- left out\n;\nselect 3";
  const [first, second, third] = splitStatements(sql);
  expect(first?.text).toBe("select 'ä🎉'");
  expect(second?.text).toBe("-- für\n /* über */ select 'ö'");
  expect(sql.slice(second?.codeStart)).toMatch(/^select 'ö'/);
  expect(third?.text).toBe("select 3");
});

test.each([
  ["create table api.tasks ()", "table api.tasks"],
  ["create table if not exists api.tasks ()", "table api.tasks"],
  ["CREATE UNLOGGED TABLE API.Tasks ()", "table api.tasks"],
  ['create table api."Tasks" ()', 'table api."Tasks"'],
  ['create table api."order" ()', 'table api."order"'],
  ["create index concurrently i on api.tasks (id)", "index api.i"],
  ["create unique index concurrently if not exists i on only api.tasks (id)", "index api.i"],
  ["drop index concurrently if exists api.i", "index api.i"],
  [
    'create policy "Own rows; mine" on api.tasks using (true)',
    'policy "Own rows; mine" on api.tasks',
  ],
  ['create policy "own" on "api"."tasks" using (true)', "policy own on api.tasks"],
  ['alter policy "a on b" on api.tasks rename to c', 'policy "a on b" on api.tasks'],
  ["alter policy own on api.tasks using (false)", "policy own on api.tasks"],
  ["/* a /* b */ c */ drop policy if exists own on api.tasks", "policy own on api.tasks"],
  ["create or replace view api.v as select 1", "view api.v"],
  ["alter table only api.tasks add column a text", "table api.tasks"],
  ["alter table if exists api.tasks rename column a to b", "table api.tasks"],
  ["alter table api.tasks set schema private", "table api.tasks"],
  ["create procedure api.p() language sql as ''", "function api.p"],
  ["alter function api.f(int) owner to somebody", "function api.f"],
  [
    "create trigger step before update on api.tasks execute function f()",
    "trigger step on api.tasks",
  ],
  ["drop trigger step on api.tasks", "trigger step on api.tasks"],
  ["create role anonymous", undefined],
  ["create table", undefined],
])("a statement is known by what it is about: %s", (sql, subject) => {
  expect(findSubject(sql)).toBe(subject);
});

test("a statement that drops several is about each", () => {
  const [statement] = splitStatements('drop table api.a, "b c"');
  expect(listSubjects(statement?.tree)).toEqual(["table api.a", 'table "b c"']);
});

test.each([
  ["tasks", "tasks"],
  ["select", '"select"'],
  ["between", '"between"'],
  ["name", "name"],
  ["Own", '"Own"'],
  ['a"b', '"a""b"'],
])("a name is quoted as PostgreSQL does: %s", (name, quoted) => {
  expect(quoteName(name)).toBe(quoted);
});

test("tokens lose nothing, and tell strings, names and comments from code", () => {
  const sql = "select $1, E'a\\'', U&\"n\", $x$;$x$ /* /* */ */ -- ü\nfrom b'1', a.$";
  const tokens = tokenize(sql);
  expect(tokens.map(({ text }) => text).join("")).toBe(sql);
  const kinds = (kind: string) => tokenize(sql.slice(0, -4)).filter((one) => one.kind === kind);
  expect(kinds("string").map(({ text }) => text)).toEqual(["E'a\\''", "$x$;$x$", "b'1'"]);
  expect(kinds("name").map(({ text }) => text)).toEqual(['U&"n"']);
  expect(kinds("comment").map(({ text }) => text)).toEqual(["/* /* */ */", "-- ü"]);
});

test("the parser is loaded by who reads SQL, not by the command or by `start`", () => {
  const src = join(import.meta.dirname, "../..");
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, "utf8").replace(/^(?:im|ex)port type [^;]*;/gm, "");
    for (const [, path = ""] of text.matchAll(/^(?:import|export|\}) [^;]*?from "([^"]+)";$/gm)) {
      if (path.startsWith(".")) visit(join(dirname(file), path));
      else seen.add(path);
    }
  };
  for (const file of ["program.ts", "index.ts", "commands/start.ts"]) visit(join(src, file));
  expect(seen.size).toBeGreaterThan(10);
  expect(seen).not.toContain("libpg-query");
});
