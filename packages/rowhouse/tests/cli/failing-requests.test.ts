import { describe, expect, test } from "vitest";
import { findNewFaults } from "../../src/access/faults/fault.ts";
import { findFaults, readFaults, readFaultsWithRows } from "../../src/access/faults/faults.ts";
import { actAs, userCaller } from "../../src/access/model/caller.ts";
import { withoutSwitchedOff } from "../../src/lib/lint-settings.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { ownedTable } from "../support/owned-table.ts";
import { alice, people } from "../support/people.ts";
import { sharedTableSql } from "../support/shared-table.ts";

/** One with rows for all tests: each change is undone. */
const database = cloneDatabase().then(async (url) => {
  await withClient(url, (client) => client.query(people));
  return url;
});

/** The faults that SQL brings, in lines. */
async function faultsOf(sql: string): Promise<string[]> {
  return withClient(await database, async (client) => {
    await client.query("begin");
    const before = await findFaults(client);
    await client.query(sql);
    const faults = findNewFaults(before, await findFaults(client));
    return faults.map(({ rule, object, finding }) => `${rule} | ${object}: ${finding}`);
  });
}

/** A policy on what is selected from a table. */
const policyOn = (table: string, using: string) =>
  `create policy more on api.${table} for select to authenticated using (${using});`;

/** A table that every user reads, by one more policy than those of an owner. */
const readable = (name: string, using: string) => ownedTable(name) + policyOn(name, using);

const ask = (table: string) =>
  `exists (select from api.${table} as other where other.user_id = user_id)`;

const helper = (name: string, body: string, language = "sql") =>
  `create function ${name}() returns boolean language ${language} stable as $$ ${body} $$;
   revoke execute on function ${name}() from public;`;

describe("A policy that always fails is named with the verb, the role and PostgreSQL's error:", () => {
  test.each<[what: string, sql: string, ...found: string[]]>([
    [
      "two policies that ask each other's tables",
      readable("a", "true") +
        readable("b", ask("a")) +
        `alter policy more on api.a using (${ask("b")})`,
      'policy_recursion | api.a: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "a" (in more)',
      'policy_recursion | api.b: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "b" (in more)',
    ],
    [
      "three policies in a circle",
      readable("a", "true") +
        readable("b", ask("a")) +
        readable("c", ask("b")) +
        `alter policy more on api.a using (${ask("c")})`,
      ...["a", "b", "c"].map(
        (name) =>
          `policy_recursion | api.${name}: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "${name}" (in more)`,
      ),
    ],
    [
      "a policy that asks its own table through a view",
      `${readable("a", "true")}
       create view api.v with (security_invoker = on) as select user_id from api.a;
       grant select on api.v to authenticated;
       alter policy more on api.a using (${ask("v")})`,
      'policy_recursion | api.a: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "a" (in more)',
      'policy_recursion | api.v: every select by authenticated fails: 42P17 infinite recursion detected in rules for relation "v"',
    ],
    [
      "a helper without EXECUTE, for each verb that asks it",
      `${helper("request.is_open", "select true")}
       alter policy select_own on api.tasks using (request.is_open());
       alter policy insert_own on api.tasks with check (request.is_open())`,
      "failing_requests | api.tasks: every select, insert by authenticated fails: 42501 permission denied for function is_open (in select_own, insert_own)",
    ],
    [
      "a helper that runs in a schema without USAGE",
      `create schema hidden;
       create function hidden.inner() returns boolean language sql stable as 'select true';
       ${helper("request.is_open", "begin return hidden.inner(); end", "plpgsql")}
       grant execute on function request.is_open() to authenticated;
       alter policy delete_own on api.tasks using (request.is_open())`,
      "failing_requests | api.tasks: delete by authenticated fails in 6 of 6 tries (2 rows, 3 callers with the claims role, sub and email): 42501 permission denied for schema hidden (in delete_own)",
    ],
    [
      "a table without SELECT in a subquery",
      `create table private.admins (id uuid);
       alter policy update_own on api.tasks
       using (user_id in (select id from private.admins))`,
      "failing_requests | api.tasks: every update by authenticated fails: 42501 permission denied for table admins (in update_own)",
    ],
    [
      "a division by zero",
      "alter policy select_own on api.tasks using (1 / 0 = 1)",
      "failing_requests | api.tasks: every select by authenticated fails: 22012 division by zero (in select_own)",
    ],
    [
      "a division by zero that PostgreSQL does not compute beforehand",
      "alter policy insert_own on api.tasks with check (1 / (select 0) = 1)",
      "failing_requests | api.tasks: insert by authenticated fails in 6 of 6 tries (2 rows, 3 callers with the claims role, sub and email): 22012 division by zero (in insert_own)",
    ],
    [
      "a constant that cannot be cast",
      "create policy more on api.tasks as restrictive for delete to authenticated using ('x'::text::int = 1)",
      'failing_requests | api.tasks: every delete by authenticated fails: 22P02 invalid input syntax for type integer: "x" (in more)',
    ],
    [
      "a policy for anonymous alone",
      `grant select (id) on api.tasks to anonymous; grant usage on schema api to anonymous;
       ${helper("request.is_open", "select true")}
       create policy more on api.tasks for select to anonymous using (request.is_open())`,
      ...["description", "title", "completed", "user_id", "created_at", "updated_at"]
        .sort()
        .map(
          (name) =>
            `column_grants | api.tasks.${name}: anonymous may read other columns of it, and not this one`,
        ),
      "failing_requests | api.tasks: every select by anonymous fails: 42501 permission denied for function is_open (in more)",
    ],
  ])("%s", async (_, sql, ...found) => {
    expect(await faultsOf(sql)).toEqual(found);
    for (const one of found) await expectReally(sql, one);
  });
});

const statements: Record<string, (table: string) => string> = {
  select: (table) => `select from ${table}`,
  insert: (table) => `insert into ${table} (title) values ('A')`,
  update: (table) => `update ${table} set user_id = user_id`,
  delete: (table) => `delete from ${table}`,
};

/** Runs the statements of a finding for Alice: they fail as it says. */
async function expectReally(sql: string, finding: string): Promise<void> {
  const [, table = "", verbs = "", role = "", code] =
    /^(?:failing_requests|policy_recursion) \| (\S+): (?:every )?([a-z, ]+) by (\w+) fails.*?: (\w{5}) /.exec(
      finding,
    ) ?? [];
  for (const verb of verbs.split(", ")) {
    const statement = statements[verb]?.(table);
    if (statement === undefined) continue; // It is about a column.
    const request = withClient(await database, async (client) => {
      await client.query(`begin; ${sql}`);
      await actAs(client, userCaller({ id: alice, email: null }, role ?? ""), true);
      await client.query(statement);
    });
    await expect(request, `${verb} on ${table}`).rejects.toMatchObject({ code });
  }
}

describe("What was seen with some rows or claims only is a note that says what was tried:", () => {
  test.each<[what: string, sql: string, ...found: string[]]>([
    [
      "a cast of what users write",
      "alter policy select_own on api.tasks using (title::date > now())",
      `failing_rows | api.tasks: select by authenticated fails in 6 of 6 tries (2 rows, 3 callers with the claims role, sub and email): 22007 invalid input syntax for type date: "Alice's" (in select_own)`,
    ],
    [
      "a row among others",
      "alter policy select_own on api.tasks using (1 / (position('Alice' in title) - 1) < 2)",
      "failing_rows | api.tasks: select by authenticated fails in 3 of 6 tries (2 rows, 3 callers with the claims role, sub and email): 22012 division by zero (in select_own)",
    ],
    [
      "an error that a function raises itself",
      `create function request.refuse() returns boolean language plpgsql stable
       as 'begin raise exception ''No claim org.''; end';
       grant execute on function request.refuse() to authenticated;
       alter policy delete_own on api.tasks using (request.refuse())`,
      "failing_rows | api.tasks: delete by authenticated fails in 6 of 6 tries (2 rows, 3 callers with the claims role, sub and email): P0001 No claim org. (in delete_own)",
    ],
    [
      "an error that a function raises while PostgreSQL plans",
      `create function request.org() returns uuid language plpgsql stable
       as 'begin raise insufficient_privilege using message = ''No claim org.''; end';
       grant execute on function request.org() to authenticated;
       alter policy delete_own on api.tasks using (user_id = request.org())`,
      "failing_rows | api.tasks: delete by authenticated fails with the claims role, sub and email: 42501 No claim org. (in delete_own)",
    ],
    [
      "a setting that nothing makes",
      policyOn("tasks", "current_setting('app.never_set') = 'x'"),
      expect.stringMatching(
        /^failing_requests \| api\.tasks: .* 42704 unrecognized configuration parameter "app\.never_set"/,
      ),
    ],
    [
      "a cast of a claim",
      `alter policy delete_own on api.tasks
       using (position(title in title) = (current_setting('request.jwt.claims')::json ->> 'sub')::int)`,
      'failing_rows | api.tasks: delete by authenticated fails with the claims role, sub and email: 22P02 invalid input syntax for type integer: "019aa000-0000-7000-8000-00000000000a" (in delete_own)',
    ],
  ])("%s", async (_, sql, ...found) => {
    expect(await faultsOf(sql)).toEqual(found);
  });
});

describe("No fault is", () => {
  test.each([
    ["a shared table, whose members a function reads", sharedTableSql("lists")],
    ["an owned table", ownedTable("notes")],
    ["a policy that lets nothing pass", "alter policy select_own on api.tasks using (false)"],
    [
      "a policy that asks a table whose policies ask no other",
      policyOn("tasks", "exists (select from api.users)"),
    ],
    ["a system column", policyOn("tasks", "tableoid is not null")],
    [
      "a header or a setting of the request",
      policyOn("tasks", "current_setting('request.headers')::json is null"),
    ],
    [
      "a setting that the pre-request function may make",
      `create function request.choose_org() returns void language plpgsql
       as 'begin perform set_config(''app.org'', ''x'', true); end';
       ${policyOn("tasks", "current_setting('app.org') = 'x'")}`,
    ],
    ["a setting of postgrest.conf", policyOn("tasks", "current_setting('app.settings.org') = 'x'")],
    [
      "a status that a policy answers with",
      `
      create function request.refuse() returns boolean language plpgsql stable
      as 'begin raise sqlstate ''PT403''; end';
      grant execute on function request.refuse() to authenticated; ${policyOn("tasks", "request.refuse()")}`,
    ],
    [
      "a function of another schema that the policy names itself",
      `
      create schema hidden; create function hidden.yes() returns boolean language plpgsql stable
      as 'begin return true; end';
      grant execute on function hidden.yes() to authenticated; ${policyOn("tasks", "hidden.yes()")}`,
    ],
    [
      "a policy whose failing part no role is let to reach",
      `${helper("request.is_open", "select true")}
      create table api.kept (id int); alter table api.kept enable row level security;
      create policy select_all on api.kept for select using (request.is_open())`,
    ],
    [
      "a rule that a row breaks",
      `
      create domain private.name as text not null; alter table api.tasks add column nick private.name
      default 'x'; grant select (nick), insert (nick), update (nick) on api.tasks to authenticated`,
    ],
    [
      "a trigger that refuses",
      `
      create function private.refuse() returns trigger language plpgsql
      as 'begin raise exception ''No.''; end';
      create trigger refuse before insert or update or delete on api.tasks
      for each row execute function private.refuse()`,
    ],
    [
      "a partitioned table or a materialized view",
      `
      create table api.parts (id int) partition by range (id);
      grant select, insert, update, delete on api.parts to authenticated;
      create materialized view api.totals as select 1 as one with no data;
      grant select on api.totals to authenticated`,
    ],
  ])("%s", async (_, sql) => {
    expect(await faultsOf(sql)).toEqual([]);
  });

  test("in the declared database, with made-up rows", async () => {
    const url = await cloneDatabase();
    await withClient(url, (client) => client.query(sharedTableSql("lists") + ownedTable("notes")));
    expect(await readFaultsWithRows(url)).toEqual([]);
  });
});

test("To look for faults changes no row, and gives up where a table is locked", async () => {
  const url = await cloneDatabase();
  await withClient(url, async (session) => {
    await session.query(people);
    await session.query("begin; lock table api.tasks in access exclusive mode");
    await expect(readFaults(url)).rejects.toMatchObject({ code: "query_timeout" });
    await session.query("rollback");
    const { rows } = await session.query("select xmin::text, xmax::text from api.tasks");
    expect(await readFaults(url)).toEqual([]);
    expect((await session.query("select xmin::text, xmax::text from api.tasks")).rows).toEqual(
      rows,
    );
  });
});

test("A comment on the table, column or policy waives a fault for every command", async () => {
  const faulty = (comments: string) => `
    ${ownedTable('"Notes"')}
    revoke select on api."Notes" from authenticated;
    grant select (user_id, id) on api."Notes" to authenticated;
    alter policy select_own on api.users using (1 / 0 = 1);
    alter policy select_own on api.tasks
      using (user_id = request.user_id() and 1 / (char_length(title) - 1000) < 0);
    ${comments}`;
  const left = async (sql: string) =>
    withClient(await database, async (client) => {
      await client.query(`begin; ${sql}`);
      const faults = withoutSwitchedOff(await findFaults(client), {});
      return faults.map(({ rule, object }) => `${rule} ${object}`);
    });
  const found = [
    'column_grants api."Notes".body',
    "failing_requests api.users",
    "fallible_policies api.tasks.select_own",
  ];
  expect(await left(faulty(""))).toEqual(expect.arrayContaining(found));
  const waived = await left(
    faulty(`
      comment on column api."Notes".body is E'It.\\nlint: allow column_grants: It is meant.';
      comment on table api.users is 'lint: allow failing_requests: It is meant.';
      comment on policy select_own on api.tasks is E'Own.\\n\\n lint: allow fallible_policies: It is meant.'`),
  );
  expect(waived.filter((one) => found.includes(one))).toEqual([]);
  const without = await left(
    faulty("comment on table api.users is 'lint: allow failing_requests:'"),
  );
  expect(without).toEqual(expect.arrayContaining(found));
});
