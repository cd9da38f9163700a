import { expect, test } from "vitest";
import { actAs, userCaller } from "../../src/access/model/caller.ts";
import { readAccess, type Verb, verbs } from "../../src/access/model/model.ts";
import { withReadOnly } from "../../src/access/model/session.ts";
import { explain } from "../../src/access/why/explain.ts";
import { parseClaims, type Question } from "../../src/access/why/question.ts";
import { type Answer, ask, why } from "../../src/access/why/why.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, emptyDatabase } from "../../src/testing/database.ts";
import { newSeed } from "../../src/testing/random.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { alice, bob, people, taskId, twins } from "../support/people.ts";
import { change, randomTables, reality } from "../support/policies.ts";

async function database(sql = ""): Promise<string> {
  const url = await cloneDatabase();
  await withClient(url, (client) => client.query(`${people}; ${sql}`));
  return url;
}

/** One for all tests that need no other: nothing is written to it. */
const plain = database();

function question(verb: Verb, more: Partial<Question> = {}): Question {
  const anything = { table: "tasks", owner: null, row: null };
  return { as: "alice@example.com", verb, id: taskId, ...anything, ...more };
}

/** The verdicts, with the row's owner. */
function verdicts({ rows }: Answer): [unknown, string][] {
  return rows.map(({ row, verdict }) => [row?.user_id ?? null, verdict]);
}

test("Alice may do all to her own task, nothing to Bob's, and each answer names the policy", async () => {
  const url = await plain;
  for (const verb of verbs) {
    const answer = await why(url, question(verb));
    expect(verdicts(answer)).toEqual([
      [alice, "yes"],
      [bob, "no"],
    ]);
    const outcomes = answer.rows.map(({ checks }) => checks[0]?.conditions[0]);
    expect(outcomes).toMatchObject([
      { policy: { name: `${verb}_own` }, outcome: { value: "true" } },
      { policy: { name: `${verb}_own` }, outcome: { value: "false" } },
    ]);
  }
});

test("an update is checked on the resulting row, too", async () => {
  const url = await plain;
  const update = (row: Record<string, unknown>) =>
    why(url, question("update", { owner: alice, row }));
  expect((await update({ title: "Mine" })).rows[0]?.verdict).toBe("yes");
  expect((await update({ user_id: bob })).rows[0]).toMatchObject({
    verdict: "no",
    reason: "no permissive policy lets it pass for update as it would be afterwards.",
  });
  expect((await update({ created_at: "2020-01-01" })).rows[0]).toMatchObject({
    verdict: "no",
    reason: "authenticated has no grant to update (created_at) on api.tasks.",
  });
});

test("a request without a filter takes rows out of one's own sight, and changes rows out of it", async () => {
  const url = await database(`
    alter policy update_own on api.tasks with check (true);
    alter policy delete_own on api.tasks using (true);
  `);
  const away = await why(url, question("update", { owner: alice, row: { user_id: bob } }));
  expect(away.rows[0]).toMatchObject({
    verdict: "yes",
    filtered: {
      verdict: "no",
      reason: "no permissive policy lets it pass for select as it would be afterwards.",
    },
  });
  const his = await why(url, question("delete", { owner: bob }));
  expect(his.rows[0]).toMatchObject({
    verdict: "yes",
    filtered: { verdict: "no", reason: "no permissive policy lets it pass for select." },
  });
  expect(explain(his, false)).toEqual(
    expect.arrayContaining([
      "  the row, select policies (with a filter):",
      "Yes: delete_own lets it pass, and it is granted.",
      "That is for a request without a filter, which may delete all rows that pass. With a filter, which reads them:",
      "No: no permissive policy lets it pass for select.",
    ]),
  );
  await withClient(url, (client) =>
    client.query(
      "revoke all on api.tasks from authenticated; grant delete on api.tasks to authenticated",
    ),
  );
  expect((await why(url, question("delete", { owner: bob }))).rows[0]).toMatchObject({
    verdict: "yes",
    filtered: {
      reason: expect.stringMatching(/^authenticated has no grant to select on api.tasks/),
    },
  });
});

test("further claims count as those of the token, and cannot say who asks", async () => {
  const url = await database(`
    alter policy select_own on api.tasks
      using (request.claims() #>> '{app_metadata,teams,0}' = 'red')
  `);
  const red = { app_metadata: { teams: ["red"] } };
  expect(verdicts(await why(url, question("select", { owner: bob })))).toEqual([[bob, "no"]]);
  expect(verdicts(await why(url, question("select", { owner: bob, claims: red })))).toEqual([
    [bob, "yes"],
  ]);
  for (const wrong of ["{", "[]", '{"sub": "x"}', '{"role": "postgres"}'])
    expect(() => parseClaims(wrong), wrong).toThrow(
      expect.objectContaining({ code: "claims_invalid" }),
    );
  const args = ["why", "--as", "alice@example.com", "select", "tasks", taskId, "--owner", bob];
  const run = await rowhouse([...args, "--claims", JSON.stringify(red)], {
    ROWHOUSE_HOME: newHome(),
    DATABASE_URL: url,
  });
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining("Yes: select_own") });
});

test("an upsert has to pass the policies of insert, update and select, and names them all", async () => {
  const url = await database(`
    grant update (id) on api.tasks to authenticated;
    alter policy insert_own on api.tasks with check (true);
    alter policy update_own on api.tasks using (title <> 'Locked') with check (true);
    alter policy select_own on api.tasks using (true);
    update api.tasks set title = 'Locked' where user_id = '${bob}';`);
  const row = (user_id: string) => ({ user_id, id: taskId, title: "Other" });
  const upsert = (user_id: string) =>
    why(url, question("insert", { id: null, upsert: true, row: row(user_id) }));
  const mine = (await upsert(alice)).rows[0];
  expect(mine?.checks.map(({ verb, over }) => [verb, over])).toEqual([
    ["insert", "new"],
    ["select", "new"],
    ["update", "row"],
    ["select", "row"],
    ["update", "result"],
    ["select", "result"],
  ]);
  const attempt = async (user_id: string) =>
    withClient(url, async (client) => {
      await client.query("begin");
      await actAs(client, userCaller({ id: alice, email: "alice@example.com" }), true);
      const { rowCount } = await client.query(
        `insert into api.tasks (user_id, id, title) values ($1, $2, 'Other')
          on conflict (user_id, id) do update set user_id = excluded.user_id, id = excluded.id, title = excluded.title`,
        [user_id, taskId],
      );
      return rowCount;
    });
  const his = (await upsert(bob)).rows[0];
  expect(his).toMatchObject({
    verdict: "no",
    reason: "no permissive policy lets it pass for update.",
  });
  await expect(attempt(bob)).rejects.toMatchObject({ code: "42501" });
  // The columns user_id and id are granted to insert; an upsert sets them, too.
  await withClient(url, (client) => client.query("grant update on api.tasks to authenticated"));
  expect((await upsert(alice)).rows[0]?.verdict).toBe("yes");
  expect(await attempt(alice)).toBe(1);
  // In sight, or not: it reads the key.
  await withClient(url, (client) =>
    client.query("alter policy select_own on api.tasks using (title <> 'Other')"),
  );
  expect((await upsert(alice)).rows[0]).toMatchObject({
    verdict: "no",
    reason: "no permissive policy lets it pass for select.",
  });
  await expect(attempt(alice)).rejects.toMatchObject({ code: "42501" });
});

test("a request that wants the row back has to pass select, and needs its grant", async () => {
  const url = await database("alter policy select_own on api.tasks using (title = 'Seen')");
  const insert = (title: string, returning: boolean) =>
    why(url, question("insert", { id: null, row: { title }, returning }));
  expect((await insert("Hidden", false)).rows[0]?.verdict).toBe("yes");
  expect((await insert("Hidden", true)).rows[0]).toMatchObject({
    verdict: "no",
    reason: "no permissive policy lets it pass for select.",
  });
  expect((await insert("Seen", true)).rows[0]?.verdict).toBe("yes");
  const remove = await why(url, question("delete", { owner: alice, returning: true }));
  expect(remove.rows[0]).toMatchObject({ verdict: "no", filtered: null });
  await withClient(url, (client) =>
    client.query(
      "revoke select on api.tasks from authenticated; grant select (id, title) on api.tasks to authenticated",
    ),
  );
  expect((await insert("Seen", true)).rows[0]).toMatchObject({
    verdict: "no",
    reason: expect.stringMatching(/no grant to select \(.*user_id/),
  });
  await expect(why(url, question("select", { returning: true }))).rejects.toMatchObject({
    code: "row_invalid",
  });
});

test("a new row gets the defaults that it would get, and generated columns", async () => {
  const url = await database(`
    create table api.notes (
      user_id uuid default request.user_id(),
      text text,
      size int generated always as (length(text)) stored
    );
    alter table api.notes enable row level security;
    grant insert (user_id, text) on api.notes to authenticated;
    create policy short on api.notes for insert with check (user_id = request.user_id() and size < 5);
  `);
  const insert = (row: Record<string, unknown>) =>
    why(url, question("insert", { table: "api.notes", id: null, row }));
  expect(verdicts(await insert({ text: "tiny" }))).toEqual([[alice, "yes"]]);
  expect(verdicts(await insert({ text: "larger" }))).toEqual([[alice, "no"]]);
  expect(verdicts(await insert({ text: "tiny", user_id: bob }))).toEqual([[bob, "no"]]);
  await expect(insert({ size: 1 })).rejects.toMatchObject({ code: "row_invalid" });
});

test("a new row whose default fails is refused", async () => {
  const url = await database(`
    create function private.number() returns int language sql return 1;
    create table api.notes (
      user_id uuid default request.user_id(),
      code int default private.number(),
      place serial,
      primary key (user_id, code)
    );
    grant select, insert on api.notes to authenticated;
    insert into api.notes values ('${alice}', 7);
  `);
  const insert = (row: Record<string, unknown>) =>
    why(url, question("insert", { table: "notes", id: null, row }));
  expect((await insert({})).rows[0]).toMatchObject({
    verdict: "no",
    reason:
      "the request fails, since the default of code does (permission denied for function number).",
  });
  expect((await insert({ code: 1 })).rows[0]).toMatchObject({
    verdict: "no",
    reason: expect.stringContaining("permission denied for sequence notes_place_seq"),
  });
  const allowed = await insert({ code: 1, place: 1 });
  expect(verdicts(allowed)).toEqual([[alice, "yes"]]);
  expect(explain(allowed, false)).toContain(
    "Constraints and triggers are not tried. A request that wants the row back, as the client does, has to pass select, too.",
  );
  expect(verdicts(await why(url, question("select", { table: "notes", id: "7" })))).toEqual([
    [alice, "yes"],
  ]);
});

test("a setting that only PostgREST sets is not reported as missing, nor are columns where there are none", async () => {
  const url = await database(`
    create table api.nothing ();
    alter policy select_own on api.tasks using (current_setting('request.method') = 'GET');
  `);
  expect((await why(url, question("select", { owner: alice }))).rows[0]?.verdict).toBe("unknown");
  expect((await why(url, question("select", { table: "nothing", id: null }))).rows).toMatchObject([
    { verdict: "no", reason: "authenticated has no grant to select on api.nothing." },
  ]);
});

const members = `
  create table api.members (user_id uuid);
  insert into api.members values ('${alice}'), ('${bob}');
  alter table api.members enable row level security;
  grant select on api.members to authenticated;
  create policy own on api.members for select using (user_id = request.user_id());
  drop policy select_own on api.tasks;
`;
/** It takes the row as a whole. */
const isShort = `
  create function private.is_short(task api.tasks)
  returns boolean language sql as 'select length(task.title) < 10';
  grant execute on function private.is_short to authenticated;
`;

test("a condition sees of other tables what the caller sees", async () => {
  const url = await database(`${members}
    create policy alone on api.tasks for select using ((select count(*) from api.members) = 1);
  `);
  expect((await why(url, question("select"))).rows.map(({ verdict }) => verdict)).toEqual([
    "yes",
    "yes",
  ]);
});

test("a condition calls what the caller may call, also in a schema that they cannot name", async () => {
  const policy = `drop policy select_own on api.tasks;
    create policy short on api.tasks for select using (private.is_short(tasks))`;
  const url = await database(`${isShort}${policy}`);
  expect((await why(url, question("select"))).rows[0]?.verdict).toBe("yes");
  await withClient(url, (client) =>
    client.query("revoke execute on function private.is_short from authenticated"),
  );
  expect((await why(url, question("select"))).rows[0]).toMatchObject({
    verdict: "no",
    reason: expect.stringContaining("permission denied for function is_short"),
  });
  // PostgreSQL leaves out what cannot matter: "true or ..." calls nothing.
  await withClient(url, (client) =>
    client.query("create policy everybody on api.tasks for select using (true)"),
  );
  expect((await why(url, question("select"))).rows[0]?.verdict).toBe("yes");
});

test("a condition that needs more than a row is reported as unclear, unless others decide", async () => {
  const url = await database(`
    create policy heap on api.tasks as restrictive for select using (tableoid = 'api.tasks'::regclass);
  `);
  const answer = await why(url, question("select", { owner: alice }));
  expect(answer.rows[0]?.verdict).toBe("unknown");
  expect(answer.rows[0]?.reason).toMatch(/^heap cannot be evaluated: .*tableoid/);
  expect(verdicts(await why(url, question("delete", { owner: bob })))).toEqual([[bob, "no"]]);
});

test("a restrictive policy whose condition is null refuses, whatever the others are", async () => {
  const url = await database(`
    create policy titled on api.tasks as restrictive for select using (nullif(title, title) = 'x');
  `);
  expect((await why(url, question("select", { owner: alice }))).rows[0]).toMatchObject({
    verdict: "no",
    reason: "the restrictive titled refuses it for select.",
  });
});

test("without a row the policies are listed, and not evaluated", async () => {
  const url = await plain;
  const any = { id: null };
  const answer = await why(url, question("update", any));
  expect(answer.rows).toMatchObject([{ verdict: "depends", row: null }]);
  expect(answer.rows[0]?.checks[0]?.conditions[0]).toMatchObject({ outcome: null });
  expect(answer.columnsRefused).toEqual(["created_at", "updated_at"]);
  expect(answer.otherPolicies.map(({ policy }) => policy.name)).toEqual([
    "delete_own",
    "insert_own",
  ]);
  const users = await why(url, question("delete", { ...any, table: "users" }));
  expect(users.rows).toMatchObject([
    { verdict: "no", reason: "authenticated has no grant to delete on api.users." },
  ]);
  const anonymous = await why(url, question("select", { ...any, as: "anonymous" }));
  expect(anonymous.rows[0]?.reason).toBe("anonymous may not use the schema api.");
});

test.each<[code: string, message: RegExp, more: Partial<Question>]>([
  ["user_unknown", /nobody@example.com/, { as: "nobody@example.com" }],
  ["user_ambiguous", new RegExp(twins.join(", ")), { as: "twin@example.com" }],
  ["table_unknown", /Did you mean tasks\?/, { table: "api.taks" }],
  ["row_unknown", /has no row/, { owner: twins[0] ?? "" }],
  ["row_unknown", /invalid input syntax for type uuid/, { id: "1" }],
  ["row_invalid", /has no column nope/, { verb: "update", row: { nope: 1 } }],
  [
    "row_invalid",
    /invalid input syntax for type boolean/,
    { verb: "update", row: { completed: "x" } },
  ],
  ["row_invalid", /A delete takes no --row/, { verb: "delete", row: {} }],
])("%s refuses a question that makes no sense: %s", async (code, message, more) => {
  const url = await plain;
  const asked = why(url, question("select", more));
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test("a database without the API, and an owner who sees no rows, are refused", async () => {
  const empty = why(await emptyDatabase(), question("select"));
  await expect(empty).rejects.toMatchObject({ code: "database_not_migrated" });
  const url = await database("grant usage on schema api to authenticator");
  const blind = withClient(url, async (client) => {
    await client.query("set role authenticator");
    return ask(client, await readAccess(client), question("select"));
  });
  await expect(blind).rejects.toMatchObject({ code: "rows_hidden" });
});

test("an owner who may not become the caller's role evaluates with their own rights, with a note", async () => {
  const url = await plain;
  const answer = await withClient(url, async (client) => {
    await client.query("begin");
    const model = await readAccess(client);
    // A role that sees all rows, and may become no other role.
    await client.query("create role rowhouse_test_owner bypassrls");
    await client.query("grant usage on schema api, request to rowhouse_test_owner");
    await client.query("grant select on all tables in schema api to rowhouse_test_owner");
    await client.query("set session authorization rowhouse_test_owner");
    return ask(client, model, question("select", { owner: alice }));
  });
  expect(answer).toMatchObject({ evaluatedAsRole: false, rows: [{ verdict: "unknown" }] });
  expect(answer.rows[0]?.reason).toContain("permission denied for function user_id");
});

test("the verdict is what PostgreSQL does, whatever the policies and grants are", async () => {
  const seed = newSeed();
  const { sql, tables } = randomTables(seed, 30);
  const url = await database(sql);
  const verdicts: string[] = [];
  const done: string[] = [];
  await withReadOnly(url, 30, async (asking) => {
    const model = await readAccess(asking);
    await withClient(url, async (acting) => {
      for (const [table, as, verb] of tables.flatMap(everyCase)) {
        const answer = await ask(
          asking,
          model,
          question(verb, { as, table, id: "1", row: verb === "update" ? change : null }),
        );
        const name = `${table} ${as} ${verb}`;
        const [row] = answer.rows;
        verdicts.push(`${name} ${row?.verdict} ${(row?.filtered ?? row)?.verdict}`);
        const attempt = { table, as, verb, columns: answer.columns };
        const any = await reality(acting, { ...attempt, filters: false });
        done.push(`${name} ${any} ${await reality(acting, { ...attempt, filters: true })}`);
      }
    });
  });
  expect(verdicts, `TEST_SEED=${seed}`).toEqual(done);
  expect(new Set(verdicts.map((line) => line.split(" ").at(-1)))).toEqual(new Set(["yes", "no"]));
});

function everyCase(table: string): [table: string, as: string, verb: Verb][] {
  return ["anonymous", "alice@example.com"].flatMap((as) =>
    verbs.map((verb): [string, string, Verb] => [table, as, verb]),
  );
}

test("a condition that would write cannot, so its result is unknown", async () => {
  const url = await database(`
    create table private.log (at timestamptz);
    create function private.writes() returns boolean language plpgsql security definer
    as 'begin insert into private.log values (now()); return true; end';
    grant execute on function private.writes to authenticated;
    alter policy select_own on api.tasks using (private.writes());
  `);
  expect((await why(url, question("select"))).rows[0]).toMatchObject({
    verdict: "unknown",
    reason: expect.stringContaining("in a read-only transaction"),
  });
});

test("rowhouse why exits with 0, 2 or 1, and prints the verdict or JSON", async () => {
  const env = { ROWHOUSE_HOME: newHome(), DATABASE_URL: await plain };
  const ask = (...args: string[]) =>
    rowhouse(["why", "--as", "alice@example.com", "delete", "tasks", taskId, ...args], env);
  const [mine, his, wrong] = await Promise.all([
    ask("--owner", alice, "--json"),
    ask("--owner", bob),
    ask("--row", "{"),
  ]);
  expect(mine.code).toBe(0);
  expect(JSON.parse(mine.stdout)).toMatchObject({ verb: "delete", rows: [{ verdict: "yes" }] });
  expect(his).toMatchObject({ code: 2, stdout: expect.stringMatching(/^No: no permissive/m) });
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("[row_invalid]") });
});
