import type pg from "pg";
import { expect, test } from "vitest";
import { actAs, anonymousCaller, type Caller, userCaller } from "../../src/access/model/caller.ts";
import type { Rules } from "../../src/access/rehearse/changes.ts";
import type { RehearsedChange } from "../../src/access/rehearse/rehearsal.ts";
import { type RehearsalOptions, readRules, rehearse } from "../../src/access/rehearse/rehearse.ts";
import { describeRehearsal } from "../../src/access/rehearse/text.ts";
import { errorCode } from "../../src/lib/errors.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { newSeed } from "../../src/testing/random.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { alice, bob, people, taskId } from "../support/people.ts";
import { randomTables } from "../support/policies.ts";
import { copyProject, editFile } from "../support/project.ts";

const options: RehearsalOptions = { as: [], users: 50, examples: 3, timeout: 30 };

async function database(sql = ""): Promise<string> {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query(`${people}; ${sql}`));
  return url;
}

/** The rules that a database would have after some SQL. */
async function rulesAfter(url: string, sql: string): Promise<Rules> {
  return withClient(url, async (client) => {
    await client.query(`begin; ${sql}`);
    return readRules(client);
  });
}

/** Rehearses what SQL would do to a database. */
async function runRehearsal(sql: string, before = "", how: Partial<RehearsalOptions> = {}) {
  const url = before === "" ? await plain : await database(before);
  return rehearse(url, await rulesAfter(url, sql), { ...options, ...how });
}

/** One for all tests that need no other: a rehearsal leaves it as it is. */
const plain = database();

/** The change of an action on a table. */
function findChange(changes: readonly RehearsedChange[], action: string, role = "authenticated") {
  return changes.find((change) => change.action === action && change.role === role);
}

const openSelect = `
  drop policy select_own on api.tasks;
  create policy select_all on api.tasks for select to authenticated using (true);
`;

test("a database with the declared rules shows no change", async () => {
  const rehearsal = await runRehearsal("");
  expect(rehearsal).toMatchObject({ changes: [], gains: false, unclear: false });
  expect(describeRehearsal(rehearsal)).toEqual(["No access changes."]);
});

test("a wider policy shows who gains which rows, a new user included", async () => {
  const rehearsal = await runRehearsal(openSelect);
  expect(rehearsal).toMatchObject({ gains: true, unclear: false, users: { sampled: 4, total: 4 } });
  expect(rehearsal.changes.map(({ action }) => action)).toEqual(["select"]);
  const effects = findChange(rehearsal.changes, "select")?.effects ?? [];
  const of = (who: string) => effects.find((effect) => effect.who.startsWith(who));
  expect(of("alice")).toMatchObject({
    userId: alice,
    gained: 1,
    lost: 0,
    kept: 1,
    examples: { gained: [taskId], lost: [] },
  });
  expect(of("a new user")).toMatchObject({ userId: null, gained: 2, kept: 0 });
  expect(effects.map(({ who }) => who).filter((who) => who.startsWith("twin"))).toHaveLength(2);
  expect(describeRehearsal(rehearsal)).toContain(
    "  select, authenticated: user_id = request.user_id()  ->  every row",
  );
});

test("a lost WITH CHECK shows the rows that may be given away", async () => {
  const { changes } = await runRehearsal(`
    alter policy select_own on api.tasks using (true);
    alter policy update_own on api.tasks with check (true);
  `);
  expect(findChange(changes, "update")).toBeUndefined();
  const effects = findChange(changes, "update (result)")?.effects;
  expect(effects?.map(({ gained }) => gained).sort()).toEqual([1, 1, 2, 2, 2]);
});

test("losses alone are no gain", async () => {
  const { changes, gains, unclear } = await runRehearsal("drop policy delete_own on api.tasks");
  expect({ gains, unclear }).toEqual({ gains: false, unclear: false });
  const alices = findChange(changes, "delete")?.effects.find(({ userId }) => userId === alice);
  expect(alices).toMatchObject({ gained: 0, lost: 1, kept: 0, examples: { lost: [taskId] } });
});

test("a column that may be written is a gain, and one that is new is none", async () => {
  const { changes, gains } = await runRehearsal(
    "grant update (created_at) on api.tasks to authenticated",
  );
  expect(gains).toBe(true);
  expect(findChange(changes, "update")).toMatchObject({
    columnsGained: ["created_at"],
    effects: [],
  });
  const added = await runRehearsal(`
    alter table api.tasks add column due date;
    grant select (due) on api.tasks to authenticated;
  `);
  expect(added.gains).toBe(false);
});

test.each([
  ["a gain, when what it is computed from was out of sight", "secret", true],
  ["none, when that could be read before", "title", false],
])("a new column that is computed is %s", async (_, from, gains) => {
  const rehearsal = await runRehearsal(
    `alter table api.tasks add column copy text generated always as (${from}) stored;
     grant select (copy) on api.tasks to authenticated;`,
    "alter table api.tasks add column secret text",
  );
  expect(rehearsal.gains).toBe(gains);
});

test("a new table has nothing to compare, and an empty one shows the words", async () => {
  const fresh = await runRehearsal(
    "create table api.notes (); grant delete on api.notes to authenticated",
  );
  expect(fresh).toMatchObject({ gains: false, unclear: false });
  const notes = `create table api.notes (id int);
    alter table api.notes enable row level security;
    grant select on api.notes to authenticated;`;
  const wider = await runRehearsal(
    "create policy small on api.notes for select using (id < 5)",
    notes,
  );
  expect(wider).toMatchObject({ gains: false, changes: [{ isEmpty: true }] });
  expect(describeRehearsal(wider)).toContain("  select, authenticated: no row  ->  id < 5");
});

test.each<[what: string, sql: string, obstacle: RegExp]>([
  [
    "a function that changes, also when another one calls it",
    "create or replace function request.plannable() returns boolean language plpgsql immutable set search_path = '' as 'begin return true; end'",
    /request\.plannable\(\) itself changes/,
  ],
  [
    "a function that is not there yet",
    `create function request.is_me(uuid) returns boolean language sql as 'select true';
     alter policy select_own on api.tasks using (request.is_me(user_id))`,
    /request\.is_me\(\) itself changes, or is new/,
  ],
  [
    "a column that is not there yet",
    `alter table api.tasks add column shared boolean;
     alter policy select_own on api.tasks using (shared)`,
    /shared/,
  ],
  [
    "a table whose rows become visible to others",
    `alter policy select_own on api.users using (true);
     alter policy select_own on api.tasks using (exists (select from api.users where id = user_id))`,
    /api\.users itself changes/,
  ],
])("the effect of what rests on %s is unknown", async (_, sql, obstacle) => {
  const { changes, unclear } = await runRehearsal(sql);
  expect(unclear).toBe(true);
  expect(changes.filter((change) => change.table === "tasks")).toContainEqual(
    expect.objectContaining({ action: "select", obstacle: expect.stringMatching(obstacle) }),
  );
});

test.each<[what: string, sql: string]>([
  [
    "a new view that reads as its owner",
    `create view api.everything as select * from api.tasks;
     grant select on api.everything to authenticated`,
  ],
  [
    "a new function that runs as its owner",
    `create function api.steal() returns setof api.tasks language sql security definer as 'select * from api.tasks';
     grant execute on function api.steal to authenticated`,
  ],
  [
    "a function that now runs as its owner",
    "alter function api.me() security definer; alter function api.me() set search_path = ''",
  ],
])("the effect of %s is unknown", async (_, sql) => {
  const rehearsal = await runRehearsal(sql);
  expect(rehearsal).toMatchObject({ gains: false, unclear: true });
  expect(describeRehearsal(rehearsal).join("\n")).toContain("cannot tell");
});

test("the effect of a function that runs as its owner is unknown when it is granted, or what it calls changes", async () => {
  const definer = `create function request.all_titles() returns setof text language sql as 'select title from api.tasks';
    create function api.titles() returns setof text language sql security definer set search_path = ''
    as 'select request.all_titles()';`;
  expect(await runRehearsal("", definer)).toMatchObject({ functions: [], unclear: false });
  expect(
    await runRehearsal("grant execute on function api.titles to authenticated", definer),
  ).toMatchObject({
    functions: [{ signature: "api.titles()", role: "authenticated" }],
    unclear: true,
  });
  const granted = `${definer} grant execute on function api.titles to authenticated;`;
  // What only runs with the caller's rights, or is not in the API, gives nothing.
  const called = `create or replace function request.all_titles() returns setof text language sql as 'select id::text from api.users';
    create function api.plain() returns int language sql return 1;
    grant execute on function api.plain to authenticated;
    create function request.hidden() returns int language sql security definer set search_path = '' return 1;
    grant execute on function request.hidden to authenticated`;
  expect(await runRehearsal(called, granted)).toMatchObject({
    functions: [{ signature: "api.titles()", role: "authenticated" }],
  });
  const closed = `${definer} grant execute on function api.titles to anonymous;`;
  expect(await runRehearsal("grant usage on schema api to anonymous", closed)).toMatchObject({
    functions: [{ signature: "api.titles()", role: "anonymous" }],
  });
});

test("a new view that reads with the caller's rights shows nothing new", async () => {
  const rehearsal = await runRehearsal(`
    create view api.mine with (security_invoker = true) as select * from api.tasks;
    grant select on api.mine to authenticated`);
  expect(rehearsal).toMatchObject({ gains: false, unclear: false });
});

test("a role that row-level security no longer applies to gains every row", async () => {
  const { changes, gains } = await runRehearsal("alter role authenticated bypassrls");
  expect(gains).toBe(true);
  expect(
    findChange(changes, "select")
      ?.effects.map(({ gained }) => gained)
      .sort(),
  ).toEqual([1, 1, 2, 2, 2]);
});

test("a condition reads of other tables what the caller sees of them", async () => {
  const { changes } = await runRehearsal(
    "alter policy select_own on api.tasks using ((select count(*) from api.users) > 1)",
  );
  // All users see one user, themselves; the owner of the database sees four.
  expect(findChange(changes, "select")?.effects.map(({ gained }) => gained)).toEqual([
    0, 0, 0, 0, 0,
  ]);
});

test("of many users the largest owners and the newest are checked, and ten are named", async () => {
  const many = `insert into api.users (id, created_at)
    select ('019aa000-0000-7000-8000-1' || lpad(n::text, 11, '0'))::uuid, now() + n * interval '1 s'
    from generate_series(1, 30) as n;
    insert into api.tasks (user_id, title) values ('${bob}', 'Another');`;
  const { changes, users } = await runRehearsal(openSelect, many, { users: 4 });
  expect(users).toEqual({ sampled: 4, total: 34 });
  const who = findChange(changes, "select")?.effects.flatMap(({ userId }) => userId ?? []);
  const newest = ["019aa000-0000-7000-8000-100000000030", "019aa000-0000-7000-8000-100000000029"];
  expect(who).toEqual([bob, alice, ...newest]);
  const all = await runRehearsal(openSelect, many);
  expect(describeRehearsal(all)[3]).toMatch(/^ {4}a new user {2,}3 {10}0 {10}0 {2}\+/);
  // Alice and Bob gain one and two rows less than the 33 others.
  expect(describeRehearsal(all)[13]).toBe("    25 more gain 72 rows and lose 0 altogether");
  const named = await runRehearsal(openSelect, many, { as: ["bob@example.com", "anonymous"] });
  expect(findChange(named.changes, "select")?.effects).toMatchObject([{ userId: bob }]);
});

test("the counts are what PostgreSQL shows before and after", async () => {
  const seed = newSeed();
  const count = 25;
  const { tables } = randomTables(seed, count);
  const rows = tables.map(
    (table) => `insert into api.${table} values (2, '${bob}', 'b'), (3, null, 'a');`,
  );
  const make = (salt: number) =>
    database(`${randomTables(seed + salt, count, 1).sql}${rows.join("")}`);
  const [before, after] = await Promise.all([make(0), make(1)]);
  const { changes } = await rehearse(before, await withClient(after, readRules), options);
  let differences = 0;
  await withClient(before, (old) =>
    withClient(after, async (next) => {
      for (const [table, action, caller] of tables.flatMap(everyCase)) {
        const change = changes.find(
          (one) => one.table === table && one.action === action && one.role === caller.role,
        );
        if (change?.obstacle) continue;
        const had = await reached(old, table, action, caller);
        const has = await reached(next, table, action, caller);
        const gained = has.filter((id) => !had.includes(id));
        const lost = had.filter((id) => !has.includes(id));
        const effect = change?.effects.find(({ userId }) => userId === caller.id);
        const name = `TEST_SEED=${seed} ${table} ${action} ${caller.label}`;
        expect(effect?.examples ?? { gained: [], lost: [] }, name).toEqual({ gained, lost });
        expect(effect?.kept ?? had.length, name).toBe(had.length - lost.length);
        differences += gained.length + lost.length;
      }
    }),
  );
  expect(differences).toBeGreaterThan(10);
});

function everyCase(table: string): [table: string, action: string, caller: Caller][] {
  return ["select", "delete"].flatMap((action) =>
    [
      anonymousCaller("anonymous"),
      userCaller({ id: alice, email: "alice@example.com" }, "authenticated"),
    ].map((caller): [string, string, Caller] => [table, action, caller]),
  );
}

/** The ids that someone reaches by select, or by a delete without a filter; it is rolled back. */
async function reached(client: pg.Client, table: string, action: string, caller: Caller) {
  const all = `select id::text from api.${table} order by 1`;
  const ids = async () => (await client.query<{ id: string }>(all)).rows.map(({ id }) => id);
  await client.query("begin");
  try {
    const before = await ids();
    await actAs(client, caller, true);
    if (action === "select") return await ids();
    await client.query(`delete from api.${table}`);
    await client.query("reset role");
    const left = await ids();
    return before.filter((id) => !left.includes(id));
  } catch (error) {
    if (errorCode(error) === "42501") return [];
    throw error;
  } finally {
    await client.query("rollback");
  }
}

test("a condition that would write cannot, and one that takes too long is stopped", async () => {
  const functions = `
    create table private.log (at timestamptz);
    create function private.writes() returns boolean language plpgsql security definer
    as 'begin insert into private.log values (now()); return true; end';
    create function private.sleeps() returns boolean language sql as 'select pg_sleep(20) is null';
    grant execute on all functions in schema private to authenticated;
  `;
  const policy = "alter policy select_own on api.tasks using";
  const writing = await runRehearsal(`${policy} (private.writes())`, functions);
  expect(findChange(writing.changes, "select")?.obstacle).toMatch(/in a read-only transaction/);
  const sleeping = runRehearsal(`${policy} (private.sleeps())`, functions, { timeout: 1 });
  await expect(sleeping).rejects.toMatchObject({ code: "query_timeout" });
});

test("rowhouse rehearse exits with 2 for a gain that is not accepted, and prints it or JSON", async () => {
  const project = copyProject();
  editFile(project, "policies/tasks.sql", "user_id = request.user_id()", "true");
  const env = { ROWHOUSE_HOME: newHome(), DATABASE_URL: await database() };
  const [refused, accepted] = await Promise.all([
    rowhouse(["rehearse"], env, project),
    rowhouse(["rehearse", "--accept", "--json"], env, project),
  ]);
  expect(refused).toMatchObject({
    code: 2,
    stdout: expect.stringContaining("A user gains access."),
  });
  expect(accepted.code).toBe(0);
  expect(JSON.parse(accepted.stdout)).toMatchObject({ gains: true, unclear: false });
});
