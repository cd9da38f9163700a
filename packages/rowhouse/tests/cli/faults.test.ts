import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findNewFaults } from "../../src/access/faults/fault.ts";
import { findFaults } from "../../src/access/faults/faults.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, migratedClone } from "../../src/testing/database.ts";
import { newHome, rowhouse, startStack } from "../support/cli.ts";
import { copyProject, editFile } from "../support/project.ts";
import { sharedTableSql } from "../support/shared-table.ts";

/** One for all tests: each change is undone. */
const database = cloneDatabase();

/** The faults that SQL brings. */
async function faultsOf(sql: string) {
  return withClient(await database, async (client) => {
    await client.query("begin");
    const before = await findFaults(client);
    await client.query(sql);
    return findNewFaults(before, await findFaults(client));
  });
}

const dueOn = "alter table api.tasks add column due_on date";
const notReadable = "authenticated may read other columns of it, and not this one";
const notInsertable =
  "authenticated may insert other columns, and not this one, which takes no null and has no default";

describe("A column without a grant beside others that have one", () => {
  test.each<[what: string, sql: string, object: string, finding: string, remedy: string]>([
    [
      "is found when it is new",
      dueOn,
      "api.tasks.due_on",
      notReadable,
      "grant select (due_on) on api.tasks to authenticated;",
    ],
    [
      "is found when its grant is dropped and the table stays",
      "revoke select (title) on api.tasks from authenticated",
      "api.tasks.title",
      notReadable,
      "grant select (title) on api.tasks to authenticated;",
    ],
    [
      "is found when it may only be inserted",
      `${dueOn}; grant insert (due_on) on api.tasks to authenticated`,
      "api.tasks.due_on",
      notReadable,
      "grant select (due_on) on api.tasks to authenticated;",
    ],
    [
      "is found in a view",
      `create view api.titles with (security_invoker = on) as select id, title from api.tasks;
       grant select (id) on api.titles to authenticated`,
      "api.titles.title",
      notReadable,
      "grant select (title) on api.titles to authenticated;",
    ],
    [
      "is found where every insert needs it",
      `alter table api.tasks add column rank int not null;
       grant select (rank) on api.tasks to authenticated`,
      "api.tasks.rank",
      notInsertable,
      "grant insert (rank) on api.tasks to authenticated;",
    ],
  ])("%s", async (_, sql, object, finding, remedy) => {
    expect(await faultsOf(sql)).toMatchObject([{ rule: "column_grants", object, finding, remedy }]);
  });

  test.each([
    ["whose table is granted as a whole", `${dueOn}; grant select on api.tasks to authenticated`],
    [
      "that the role may read through another one",
      `${dueOn}; create role reader; grant reader to authenticated with inherit true;
       grant select on api.tasks to reader`,
    ],
    [
      "that the database fills, and nobody may insert",
      `alter table api.tasks add column rank int not null default 1, add column n int
       generated always as identity; grant select (rank, n) on api.tasks to authenticated`,
    ],
    [
      "that a trigger fills, and nobody may insert",
      `alter table api.tasks add column rank int not null;
       grant select (rank) on api.tasks to authenticated;
       create function private.rank() returns trigger language plpgsql as 'begin return new; end';
       create trigger rank before insert on api.tasks for each row execute function private.rank()`,
    ],
    ["of a table that no request reaches", "create table private.notes (id int, body text)"],
    ["of a shared table", sharedTableSql("lists")],
  ])("is none %s", async (_, sql) => {
    expect(await faultsOf(sql)).toEqual([]);
  });
});

/** A project whose tasks have a column that no policy file grants. */
function projectWithDueOn(): string {
  const project = copyProject();
  addDueOn(project);
  return project;
}

function addDueOn(project: string): void {
  editFile(project, "sql/api/tasks.sql", "  created_at", "  due_on date,\n  created_at");
}

/** Switches a rule off in a project's package.json. */
function switchOff(project: string, lint: unknown): void {
  writeFileSync(join(project, "package.json"), JSON.stringify({ rowhouse: { lint } }));
}

const hidden = { column_grants: { "api.tasks.due_on": "Only the back office reads it." } };

describe("A column that is added to sql/api/tasks.sql alone", () => {
  test("makes rehearse exit with 2, unless package.json says why it is hidden", async () => {
    const project = projectWithDueOn();
    const rehearse = async (...args: string[]) =>
      rowhouse(
        ["rehearse", "--against", await database, ...args],
        { ROWHOUSE_HOME: newHome() },
        project,
      );
    const outcome = await rehearse();
    expect(outcome.code).toBe(2);
    expect(outcome.stdout).toContain(
      `Requests fail: api.tasks.due_on: ${notReadable}. Its select=*, and what a write gives back, is 403.\n  do: grant select (due_on) on api.tasks to authenticated;`,
    );
    expect(outcome.stdout).toMatch(
      /\nIf that is intended, add --accept\.\nWhat is meant to fail .*\{"lint":\{"column_grants":\{"api\.tasks\.due_on":"your reason"\}\}\}\n$/,
    );
    const { code, stdout } = await rehearse("--json", "--accept");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ faults: [{ object: "api.tasks.due_on" }] });
    switchOff(project, hidden);
    expect(await rehearse()).toMatchObject({ code: 0, stdout: "No access changes.\n" });
  });

  test("is no news to rehearse where the database has it already", async () => {
    const url = await migratedClone();
    await withClient(url, (client) => client.query(dueOn));
    const outcome = await rowhouse(
      ["rehearse", "--against", url],
      { ROWHOUSE_HOME: newHome() },
      projectWithDueOn(),
    );
    expect(outcome).toMatchObject({ code: 0, stdout: "No access changes.\n" });
  });

  test("is reported with the migration's file, and stops the deploy to an API", async () => {
    const project = projectWithDueOn();
    const url = await migratedClone();
    const run = (...args: string[]) =>
      rowhouse(args, { ROWHOUSE_HOME: newHome(), DATABASE_URL: url }, project);
    const written = await run("db", "migration", "due_on");
    expect(written).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^wrote .*due_on\.sql/),
    });
    expect(written.stderr).toContain(`Requests fail: api.tasks.due_on: ${notReadable}.`);
    const tried = await run("migrate", "--dry-run");
    expect(tried).toMatchObject({ code: 1, stderr: expect.stringContaining(notReadable) });
    // Nothing listens there: it is refused before anything is asked.
    const deploy = ["migrate", "--api", "http://127.0.0.1:9"];
    const refused = await run(...deploy);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/\[requests_fail\] After these migrations .*due_on/s);
    expect(refused.stderr).toContain("Nothing was migrated");
    switchOff(project, hidden);
    const intended = await run(...deploy);
    expect(intended.stdout).toMatch(/^applied .*due_on\.sql/);
    expect(intended.stderr).not.toContain("requests_fail");
  });

  test("is reported by a migrate that deploys to no API, once it is applied", async () => {
    const project = projectWithDueOn();
    const url = await migratedClone();
    const run = (...args: string[]) =>
      rowhouse(args, { ROWHOUSE_HOME: newHome(), DATABASE_URL: url }, project);
    await run("db", "migration", "due_on");
    const first = await run("migrate");
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining(notReadable) });
    expect((await run("migrate")).stderr).not.toContain(notReadable);
  });

  test("is reported by dev at the save, which is applied", async () => {
    const project = copyProject();
    const stack = await startStack({}, "dev", project);
    addDueOn(project);
    await stack.prints(
      /Requests fail: api\.tasks\.due_on: .*\n.*grant select \(due_on\)[\s\S]*Applied/,
    );
    editFile(project, "policies/tasks.sql", "select (user_id,", "select (due_on, user_id,");
    await stack.prints(/Requests no longer fail by api\.tasks\.due_on\.\n[\s\S]*Applied/);
  });
});

/** Lets the policies of tasks and users ask each other's tables. */
function makeCircle(project: string): void {
  const own = "for select to authenticated\nusing (";
  editFile(project, "policies/tasks.sql", own, `${own}exists (select from api.users) and `);
  editFile(project, "policies/users.sql", own, `${own}exists (select from api.tasks) and `);
}

const circle = `alter policy select_own on api.tasks using (exists (select from api.users));
  alter policy select_own on api.users using (exists (select from api.tasks));`;

const recursion = (table: string) =>
  `api.${table}: every select by authenticated fails: 42P17 infinite recursion detected in policy for relation "${table}" (in select_own)`;

describe("Policies that ask each other's tables", () => {
  test("get no migration, unless an earlier one brought them", async () => {
    const project = copyProject();
    makeCircle(project);
    const write = (name: string) =>
      rowhouse(["db", "migration", name], { ROWHOUSE_HOME: newHome() }, project);
    const refused = await write("circle");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    for (const table of ["tasks", "users"]) expect(refused.stderr).toContain(recursion(table));
    expect(refused.stderr).toMatch(/\[requests_fail\].*Nothing was written.*definer function/s);
    switchOff(project, { policy_recursion: "A test." });
    expect(await write("circle")).toMatchObject({ code: 0 });
    switchOff(project, {});
    editFile(project, "policies/tasks.sql", "'Things to do.", "'Things to be done.");
    expect(await write("comment")).toMatchObject({ code: 0 });
  });

  test("make rehearse exit with 2, and lint with 1", async () => {
    const project = copyProject();
    makeCircle(project);
    const run = (...args: string[]) => rowhouse(args, { ROWHOUSE_HOME: newHome() }, project);
    const rehearsed = await run("rehearse", "--against", await database);
    expect(rehearsed.code).toBe(2);
    expect(rehearsed.stdout).toContain(`Requests fail: ${recursion("tasks")}`);
    const linted = await run("lint");
    expect(linted.code).toBe(1);
    expect(linted.stdout).toContain(`policy_recursion (error)\n  ${recursion("tasks")}`);
  });

  test("are not deployed, and are reported where a migration has brought them", async () => {
    const project = copyProject();
    const url = await migratedClone();
    const run = (...args: string[]) =>
      rowhouse(args, { ROWHOUSE_HOME: newHome(), DATABASE_URL: url }, project);
    writeFileSync(
      join(project, "db/migrations/20991231000000_circle.sql"),
      `-- migrate:up\n${circle}\n-- migrate:down\n`,
    );
    const refused = await run("migrate", "--api", "http://127.0.0.1:9");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(recursion("users"));
    const applied = await run("migrate");
    expect(applied).toMatchObject({ code: 0, stderr: expect.stringContaining(recursion("users")) });
  });

  test("are reported by dev at the save", async () => {
    const project = copyProject();
    const stack = await startStack({}, "dev", project);
    makeCircle(project);
    await stack.prints(/Requests fail: api\.tasks: every select by authenticated fails: 42P17/);
    makeFallible(project);
    await stack.prints(new RegExp(`Requests may fail: ${fallible}.`));
  });
});

/** Lets a policy fail for the titles of one length. */
function makeFallible(project: string): void {
  const own = "for delete to authenticated\nusing (";
  editFile(project, "policies/tasks.sql", own, `${own}1 / (char_length(title) - 11) > 0 and `);
}

const fallible =
  "api.tasks.delete_own: the policy can fail for some rows or claims: it divides by an expression over title";

test("A policy that fails for rows that were not tried is a note of rehearse, and no failure", async () => {
  const project = copyProject();
  makeFallible(project);
  const run = async (...args: string[]) =>
    rowhouse(
      ["rehearse", "--against", await database, ...args],
      { ROWHOUSE_HOME: newHome() },
      project,
    );
  const outcome = await run("--json", "--accept");
  expect(JSON.parse(outcome.stdout)).toMatchObject({ faults: [], notes: [{ level: "note" }] });
  expect((await run()).stdout).toContain(
    `Requests may fail: ${fallible}. A request that meets one fails, also a list of other rows.`,
  );
  switchOff(project, { fallible_policies: { "api.tasks.delete_own": "No title is that long." } });
  expect((await run()).stdout).not.toContain("Requests may fail");
});

test("A policy that fails over any row is found by lint on made-up rows", async () => {
  const project = copyProject();
  const own = "for delete to authenticated\nusing (";
  editFile(project, "policies/tasks.sql", own, `${own}1 / (select 0) = 1 and `);
  const { code, stdout } = await rowhouse(["lint"], { ROWHOUSE_HOME: newHome() }, project);
  expect(code).toBe(1);
  expect(stdout).toContain(
    "api.tasks: delete by authenticated fails in 6 of 6 tries (2 rows, 3 callers with the claims role, sub and email): 22012 division by zero (in delete_own).",
  );
});

describe("A rule that is switched off in package.json", () => {
  const lint = (project: string) => rowhouse(["lint"], { ROWHOUSE_HOME: newHome() }, project);

  test("is reported by lint no more, and goes for one object or for all", async () => {
    const project = projectWithDueOn();
    const uncommented = { missing_comments: "A test." };
    switchOff(project, uncommented);
    expect(await lint(project)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("api.tasks.due_on: authenticated may read"),
    });
    switchOff(project, { ...uncommented, ...hidden });
    expect(await lint(project)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^No findings: \d+ rules checked\.\n$/),
    });
  });

  test("is reported where it switches off nothing", async () => {
    const project = copyProject();
    switchOff(project, { ...hidden, owned_keys: "We know." });
    const { code, stdout } = await lint(project);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "rowhouse.lint.column_grants: api.tasks.due_on does not break this rule.",
    );
    expect(stdout).toContain("rowhouse.lint.owned_keys: nothing breaks this rule.");
  });

  test.each([
    ["that there is not", { colum_grants: "Why not." }, "rowhouse.lint.colum_grants"],
    ["without a reason", { column_grants: " " }, "rowhouse.lint.column_grants: "],
    ["for an object without a reason", { column_grants: { "api.tasks.due_on": "" } }, "due_on"],
  ])("is refused when it is one %s", async (_, off, message) => {
    const project = copyProject();
    switchOff(project, off);
    const { code, stderr } = await lint(project);
    expect(code).toBe(1);
    expect(stderr).toContain("[settings_invalid]");
    expect(stderr).toContain(message);
  });
});
