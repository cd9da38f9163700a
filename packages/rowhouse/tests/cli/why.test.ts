import type pg from "pg";
import { expect, test } from "vitest";
import { actAs, userCaller } from "../../src/access/model/caller.ts";
import { type AccessModel, readAccess, type Verb, verbs } from "../../src/access/model/model.ts";
import { withReadOnly } from "../../src/access/model/session.ts";
import { explain } from "../../src/access/why/explain.ts";
import { parseClaims, type Question } from "../../src/access/why/question.ts";
import { type Answer, ask, why } from "../../src/access/why/why.ts";
import { errorCode } from "../../src/lib/errors.ts";
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
    verdict: "no",
    reason: "no permissive policy lets it pass for select as it would be afterwards.",
    filtered: null,
    unfiltered: { verdict: "yes" },
  });
  const his = await why(url, question("delete", { owner: bob }));
  expect(his.rows[0]).toMatchObject({
    verdict: "no",
    reason: "no permissive policy lets it pass for select.",
    unfiltered: { verdict: "yes", reason: "delete_own lets it pass, and it is granted." },
  });
  expect(explain(his, false)).toEqual(
    expect.arrayContaining([
      "  the row, select policies (with a filter):",
      "No: no permissive policy lets it pass for select.",
      "That is for a request that names the row, and so reads it. Without a filter, one may delete all rows that pass:",
      "Yes: delete_own lets it pass, and it is granted.",
    ]),
  );
  const args = ["why", "--as", "alice@example.com", "delete", "tasks", taskId, "--owner", bob];
  const run = await rowhouse(args, { ROWHOUSE_HOME: newHome(), DATABASE_URL: url });
  expect(run).toMatchObject({ code: 2, stdout: expect.stringMatching(/^No: /m) });
  await withClient(url, (client) =>
    client.query(
      "revoke all on api.tasks from authenticated; grant delete on api.tasks to authenticated",
    ),
  );
  const reason = expect.stringMatching(/^authenticated has no grant to select on api.tasks/);
  expect((await why(url, question("delete", { owner: bob }))).rows[0]).toMatchObject({
    verdict: "no",
    reason,
    unfiltered: { verdict: "yes" },
  });
  const any = await why(url, question("delete", { id: null }));
  expect(any.rows[0]).toMatchObject({ verdict: "depends", filtered: { verdict: "no", reason } });
  expect(explain(any, false)).toContain(
    "That is for a request without a filter, which may delete all rows that pass. With a filter, which reads them:",
  );
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
    expect(() => parseClaims(wrong, "alice@example.com"), wrong).toThrow(
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
      await actAs(
        client,
        userCaller({ id: alice, email: "alice@example.com" }, "authenticated"),
        true,
      );
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
  // "excluded.title" is read, too.
  await withClient(url, (client) =>
    client.query(`alter policy select_own on api.tasks using (true);
      revoke select on api.tasks from authenticated;
      grant select (user_id, id) on api.tasks to authenticated`),
  );
  expect((await upsert(alice)).rows[0]).toMatchObject({
    verdict: "no",
    reason: "authenticated has no grant to select (title) on api.tasks.",
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
      "the request fails, since the default of code raises 42501 (permission denied for function number).",
  });
  expect((await insert({ code: 1 })).rows[0]).toMatchObject({
    verdict: "no",
    reason: expect.stringContaining("permission denied for sequence notes_place_seq"),
  });
  const allowed = await insert({ code: 1, place: 1 });
  expect(verdicts(allowed)).toEqual([[alice, "yes"]]);
  expect(explain(allowed, false)).toContain(
    "Constraints, triggers and the pre-request function request.check are not tried. A request that wants the row back, as the client does, has to pass select, too.",
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

/** How many rows a statement of Alice's touches, or the SQLSTATE with which PostgreSQL refuses it. */
async function attempt(client: pg.ClientBase, statement: string): Promise<number | string> {
  await client.query("savepoint attempt");
  try {
    await actAs(
      client,
      userCaller({ id: alice, email: "alice@example.com" }, "authenticated"),
      true,
    );
    return (await client.query(statement)).rowCount ?? 0;
  } catch (error) {
    return errorCode(error) ?? "";
  } finally {
    await client.query("rollback to savepoint attempt");
  }
}

const newId = "01a1fca8-dcfe-70ac-8ddc-9102ca8c50e4";
const newRow = `insert into api.tasks (user_id, id, title) values ('${alice}', '${newId}', 'New')`;

/** What Alice asks about her task, and the statement that does it. */
const requests: [what: Question, statement: string][] = [
  [question("select", { owner: alice }), "select from api.tasks"],
  [question("delete", { owner: alice }), `delete from api.tasks where id = '${taskId}'`],
  ...[false, true].flatMap((returning): [Question, string][] => [
    [
      question("update", { owner: alice, row: { title: "New" }, returning }),
      `update api.tasks set title = 'New' where id = '${taskId}' ${returning ? "returning *" : ""}`,
    ],
    [
      question("insert", {
        id: null,
        row: { user_id: alice, id: newId, title: "New" },
        returning,
      }),
      `${newRow} ${returning ? "returning *" : ""}`,
    ],
  ]),
  [
    question("insert", {
      id: null,
      row: { user_id: alice, id: taskId, title: "New" },
      upsert: true,
    }),
    `${newRow.replace(newId, taskId)} on conflict (user_id, id) do update set title = excluded.title`,
  ],
];

/** The verdicts of `why`, and what PostgreSQL does, with each of these as the policies. */
async function compareWith(url: string, policies: readonly string[]) {
  return withClient(url, async (client) => {
    await client.query("begin");
    const compared: { policy: string; request: string; verdict: string; done: string | number }[] =
      [];
    for (const policy of policies) {
      await client.query(`savepoint policies; ${policy}`);
      for (const [what, statement] of requests) {
        const { rows } = await ask(client, await readAccess(client), what);
        const verdict = rows[0]?.verdict ?? "";
        compared.push({
          policy,
          request: statement,
          verdict,
          done: await attempt(client, statement),
        });
      }
      await client.query("rollback to savepoint policies");
    }
    return compared;
  });
}

const disagrees = ({ verdict, done }: { verdict: string; done: string | number }) =>
  verdict !== (done === 1 ? "yes" : "no");

test("a policy with system columns finds those of the row, or what a row that is not written has", async () => {
  const url = await database("grant update on api.tasks to authenticated");
  const [here] = await withClient(url, async (client) => {
    const text = `select ctid::text, xmin::text from api.tasks where user_id = '${alice}'`;
    return (await client.query<{ ctid: string; xmin: string }>(text)).rows;
  });
  const certain = [
    "tableoid = 'api.tasks'::regclass",
    "tableoid <> 'api.tasks'::regclass",
    `ctid = '${here?.ctid}'`,
    `ctid <> '${here?.ctid}'`,
    "ctid is null",
    "ctid > '(4294967294,0)'",
    "exists (select from api.users where users.id = tasks.user_id and tasks.ctid < '(9,0)')",
  ];
  const restrict = (condition: string) =>
    `create policy heap on api.tasks as restrictive for all using (${condition})`;
  const compared = await compareWith(url, certain.map(restrict));
  expect(compared.filter(disagrees)).toEqual([]);
  for (const verdict of ["yes", "no"])
    expect(compared.filter((one) => one.verdict === verdict).length).toBeGreaterThan(10);
  const byXmin = await compareWith(url, [restrict(`xmin = '${here?.xmin}'`)]);
  expect(byXmin.map(({ verdict }) => verdict)).toEqual([
    "yes",
    "yes",
    ...["unknown", "unknown", "unknown", "unknown", "unknown"],
  ]);
});

test("why tells what no one can know of a system column before the row is written", async () => {
  const url = await database(`
    create table api.parts (id int) partition by range (id);
    create table private.low partition of api.parts for values from (0) to (10);
    insert into api.parts values (1);
    alter table api.parts enable row level security;
    grant select, insert on api.parts to authenticated;
    create policy low on api.parts using (tableoid = 'private.low'::regclass);
  `);
  const ask = async (verb: Verb, id: string | null, row: Record<string, unknown> | null) =>
    (await why(url, question(verb, { table: "parts", id, row }))).rows[0];
  expect(await ask("select", "1", null)).toMatchObject({ verdict: "yes" });
  expect(await ask("insert", null, { id: 2 })).toMatchObject({
    verdict: "unknown",
    reason:
      "low cannot be evaluated: PostgreSQL settles the tableoid of a row only when it writes it.",
  });
  const attempts = ["select from api.parts", "insert into api.parts values (2)"];
  await withClient(url, async (client) => {
    await client.query("begin");
    for (const statement of attempts) expect(await attempt(client, statement)).toBe(1);
  });
});

test("a policy over a recursive view or query is evaluated, and one that reads its own table raises 42P17", async () => {
  const url = await database(`
    grant update on api.tasks to authenticated;
    create table api.teams (id int primary key, above int, user_id uuid);
    insert into api.teams values (1, null, '${alice}'), (2, 1, null), (3, 2, null), (4, null, '${bob}');
    grant select on api.teams to authenticated;
    create recursive view api.below (id, user_id) as
      select id, user_id from api.teams where above is null
      union all select teams.id, below.user_id from api.teams join below on teams.above = below.id;
    create view api.own with (security_invoker = true) as select * from api.tasks;
    create view api.theirs as select * from api.tasks;
    grant select on api.below, api.own, api.theirs to authenticated;
  `);
  const restrict = (condition: string, verb = "all") =>
    `create policy more on api.tasks as restrictive for ${verb} ${verb === "insert" ? "with check" : "using"} (${condition})`;
  const isBelow = "exists (select from api.below where id = 3 and below.user_id = tasks.user_id)";
  const search = (first: string) =>
    `3 in (with recursive below as (select id from api.teams where ${first} union all
      select teams.id from api.teams join below on teams.above = below.id) select id from below)`;
  const fine = [
    restrict(isBelow),
    restrict(`not ${isBelow}`),
    restrict(search("user_id = request.user_id()")),
    restrict(search("user_id <> request.user_id()")),
    // Its owner is under no policy.
    restrict("exists (select from api.theirs where theirs.id = tasks.id)"),
    // The policies of select read no table, so the circle ends there.
    restrict("exists (select from api.own where own.id = tasks.id)", "delete"),
  ];
  const circles = [
    restrict("exists (select from api.own where own.id = tasks.id)"),
    restrict("exists (select from api.tasks as other where other.id = tasks.id)", "select"),
    // No other policy spares the request.
    `create policy more on api.tasks using (exists (select from api.own));
      create policy every on api.tasks using (true)`,
    // Only with what select reads it comes back to where it began.
    `${restrict("exists (select from api.own)", "insert")};
      create policy below on api.tasks for select using (${isBelow})`,
  ];
  const compared = await compareWith(url, [...fine, ...circles]);
  expect(compared.filter(disagrees)).toEqual([]);
  const raised = compared.filter(({ done }) => done === "42P17");
  expect(new Set(raised.map(({ policy }) => policy))).toEqual(new Set(circles));
  const [circle = ""] = circles;
  await withClient(url, (client) => client.query(circle));
  expect((await why(url, question("delete", { owner: alice }))).rows[0]).toMatchObject({
    verdict: "no",
    reason:
      'the request fails, since PostgreSQL raises 42P17 (infinite recursion detected in policy for relation "tasks").',
  });
});

test("a view is asked as the caller: by whose rights it reads shows in its rows", async () => {
  const bobsId = "019aa5b2-3c8e-7d6f-8a1b-2c3d4e5f6a7c";
  const url = await database(`
    grant usage on schema api, request to identity_service;
    grant select on api.tasks to identity_service;
    insert into api.tasks (user_id, id, title) values ('${bob}', '${bobsId}', 'Bob''s own');
    create policy kept on api.tasks for select to identity_service using (title like 'Bob%');
    create view api.own with (security_invoker = true) as select id, title from api.tasks;
    create view api.kept as select id, title from api.tasks;
    create view api.every as select id, title from api.tasks;
    create view api.broken as select id, 1 / (position('x' in title)) as place from api.tasks;
    create view api.titles as select title from api.tasks;
    alter view api.kept owner to identity_service;
    grant select, update on api.own, api.kept, api.every, api.broken, api.titles to authenticated;
    grant select (title) on api.kept to anonymous;
    grant usage on schema api to anonymous;
  `);
  const ask = async (table: string, verb: Verb, as = "alice@example.com", id = bobsId) => {
    const answer = await why(url, question(verb, { table, as, id }));
    return [answer.rows[0]?.verdict, answer.rows[0]?.reason];
  };
  const any = await why(url, question("select", { table: "every", id: null }));
  expect(any.rows[0]).toMatchObject({
    verdict: "yes",
    reason: expect.stringMatching(
      /^it shows every row that its query finds, since no policy counts behind it, and it is granted\. The view reads with the rights of its owner \(\w+\), past the policies of api\.tasks;/,
    ),
  });
  for (const table of ["own", "kept"]) {
    const { rows } = await why(url, question("select", { table, id: null }));
    expect(rows[0]?.reason).toBe("it depends on the row, and none was named.");
  }
  const shown = ["yes", "the view shows it, and it is granted."];
  const hidden = [
    "no",
    expect.stringMatching(/^the view shows no row with id .*: none is there, or/),
  ];
  expect(await ask("every", "select")).toEqual(shown);
  expect(await ask("own", "select", "bob@example.com")).toEqual(shown);
  expect(await ask("own", "select")).toEqual(hidden);
  expect(await ask("kept", "select")).toEqual(shown);
  expect(await ask("every", "select", undefined, alice)).toEqual(hidden);
  expect(await ask("broken", "select")).toEqual([
    "no",
    "the request fails, since PostgreSQL raises 22012 (division by zero).",
  ]);
  expect(await ask("kept", "select", "anonymous")).toEqual([
    "no",
    "anonymous has no grant to select (id) on api.kept.",
  ]);
  expect(await ask("every", "delete")).toEqual([
    "no",
    "authenticated has no grant to delete on api.every.",
  ]);
  expect(await ask("own", "update")).toEqual([
    "unknown",
    expect.stringContaining("Ask about those."),
  ]);
  await expect(ask("titles", "select")).rejects.toMatchObject({ code: "row_unknown" });
  const ofAlice = question("select", {
    table: "every",
    as: "alice@example.com",
    id: bobsId,
    owner: alice,
  });
  await expect(why(url, ofAlice)).rejects.toMatchObject({
    code: "row_unknown",
    message: "The rows of api.every have no owner.",
  });
  await expect(ask("own", "select", undefined, "seven")).rejects.toMatchObject({
    code: "row_unknown",
  });
});

test("a materialized view shows all that it holds to those who may read it, and takes no writes", async () => {
  const url = await database(`
    create materialized view api.totals as
      select id, title from api.tasks where user_id = '${alice}';
    grant select, update on api.totals to authenticated;
    grant usage on schema api to anonymous;
  `);
  const ask = async (verb: Verb, more: Partial<Question> = {}) => {
    const { rows } = await why(url, question(verb, { table: "totals", ...more }));
    return [rows[0]?.verdict, rows[0]?.reason];
  };
  const shown = [
    "yes",
    "a materialized view has no policies: it shows every row that it holds, and it is granted.",
  ];
  expect(await ask("select", { id: null })).toEqual(shown);
  expect(await ask("select")).toEqual(shown);
  expect(await ask("select", { as: "anonymous" })).toEqual([
    "no",
    "anonymous has no grant to select on api.totals.",
  ]);
  expect(await ask("update")).toEqual([
    "no",
    'the request fails, since PostgreSQL raises 42809 (cannot change materialized view "totals").',
  ]);
  await expect(ask("select", { id: alice })).rejects.toMatchObject({ code: "row_unknown" });
});

test("a view is read whole where no policy counts behind it, unless its query fails", async () => {
  const url = await database(`
    create function private.number() returns int language sql return 1;
    create table api.days (id int);
    create view api.days_view as select id from api.days;
    create view api.numbers as select private.number() as id from api.days;
    create view api.own with (security_invoker = true) as select id from api.tasks;
    create view api.outer_view as select id from api.own;
    grant select on api.days_view, api.numbers, api.outer_view, api.own to authenticated;
  `);
  const ask = async (table: string) => {
    const { rows } = await why(url, question("select", { table, id: null }));
    return [rows[0]?.verdict, rows[0]?.reason];
  };
  expect(await ask("days_view")).toEqual([
    "yes",
    "it shows every row that its query finds, since no policy counts behind it, and it is granted.",
  ]);
  expect(await ask("numbers")).toEqual([
    "no",
    "the request fails, since PostgreSQL raises 42501 (permission denied for function number).",
  ]);
  expect(await ask("outer_view")).toEqual([
    "depends",
    "it depends on the row, and none was named.",
  ]);
});

test("an error out of a function that a policy calls is reported as one", async () => {
  const url = await database(`
    create type private.kind as enum ('owner');
    create function request.may(wanted text) returns boolean language plpgsql stable security definer
      set search_path = '' as $$ begin return 'owner'::private.kind = wanted; end $$;
    grant execute on function request.may(text) to authenticated;
    alter policy select_own on api.tasks using (request.may('owner'));
  `);
  const answer = await why(url, question("select", { owner: alice }));
  const reason =
    "the request fails, since select_own raises 42883 (operator does not exist: private.kind = text), for select.";
  expect(answer.rows).toMatchObject([{ verdict: "no", fails: true, reason }]);
  expect(explain(answer, false)).toContain(`Error: ${reason}`);
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

test.each<[message: string, remedy: string, more: Partial<Question>]>([
  ["--as names no user: it is empty.", "Give an email address", { as: " " }],
  ["Only an insert takes --upsert.", "Ask for insert", { verb: "update", upsert: true }],
  ["A select takes no --row.", "name a row by its id", { row: { title: "A" } }],
  ["A select takes no --returning.", "Leave it out", { returning: true }],
  ["An insert takes an id or --row, not both.", "one of them", { verb: "insert", row: {} }],
  ["An update with --row needs the row's id.", "Name it", { verb: "update", id: null, row: {} }],
  ["has no column nope", "Give --row a JSON object", { verb: "update", row: { nope: 1 } }],
])("%s The remedy fits: %s", async (message, remedy, more) => {
  const asked = why(await plain, question("select", more));
  await expect(asked).rejects.toMatchObject({
    message: expect.stringContaining(message),
    remedy: expect.stringContaining(remedy),
  });
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

/** A role that sees all rows and may call all, and may become no other role: seen in this transaction alone. */
const keeper = `
  create role rowhouse_test_keeper bypassrls;
  grant pg_read_all_data to rowhouse_test_keeper;
  grant execute on all functions in schema request, private to rowhouse_test_keeper;
`;

/** Asks as that role. */
async function askAsKeeper(client: pg.ClientBase, what: Question, read?: AccessModel) {
  const model = read ?? (await readAccess(client));
  await client.query("set session authorization rowhouse_test_keeper");
  const answer = await ask(client, model, what);
  await client.query("reset session authorization");
  return answer;
}

const noMember =
  /rowhouse_test_keeper, the role in the URL of the database, may not become authenticated: grant authenticated to rowhouse_test_keeper, or use/;

test("a session that may not become the caller's role answers what the row and claims decide, and else cannot tell", async () => {
  const url = await database(`${members}
    create policy select_own on api.tasks for select using (user_id = request.user_id());
    create view api.own with (security_invoker = true) as select * from api.tasks;
    grant select on api.own to authenticated;
    create function private.refuses() returns boolean language sql return true;
    create function private.calls() returns boolean language plpgsql stable
    as 'begin return private.refuses(); end';
    create function private.counts() returns boolean language plpgsql stable security definer
    set search_path = '' as 'begin return (select count(*) from api.members) = 2; end';
    grant execute on function private.calls, private.counts to authenticated;
  `);
  const restrict = (condition: string) =>
    `create policy more on api.tasks as restrictive for all using (${condition})`;
  const certain = [
    restrict("title <> 'Other'"),
    restrict("title = 'Other'"),
    restrict("(request.claims() ->> 'email') = 'alice@example.com'"),
    restrict("private.counts()"),
    restrict("private.refuses() and title <> 'Other'"),
    restrict("exists (select from api.tasks as other where other.id = tasks.id)"),
  ];
  const uncertain = [
    // Two rows are there, of which Alice sees one.
    restrict("(select count(*) from api.members) = 2"),
    restrict("true or private.refuses()"),
    restrict("private.calls()"),
    restrict("current_user = 'authenticated'"),
    `create policy more on api.tasks using (exists (select from api.own));
      create policy every on api.tasks using (true)`,
  ];
  await withClient(url, async (client) => {
    await client.query(`begin; ${keeper}`);
    const compare = async (policy: string) => {
      await client.query(`savepoint policies; ${policy}`);
      const { rows } = await askAsKeeper(client, question("select", { owner: alice }));
      const done = await attempt(client, `select from api.tasks where id = '${taskId}'`);
      await client.query("rollback to savepoint policies");
      return { policy, ...rows[0], done };
    };
    const reasons: string[] = [];
    for (const policy of certain) {
      const { verdict, reason, done } = await compare(policy);
      expect({ policy, verdict }).toEqual({ policy, verdict: done === 1 ? "yes" : "no" });
      if (typeof done === "string") reasons.push(`${done} ${reason}`);
    }
    expect(reasons).toEqual([
      "42501 the request fails, since more raises 42501 (permission denied for function refuses), for select.",
      '42P17 the request fails, since PostgreSQL raises 42P17 (infinite recursion detected in policy for relation "tasks").',
    ]);
    for (const policy of uncertain) {
      const { verdict, reason } = await compare(policy);
      expect({ policy, verdict }).toEqual({ policy, verdict: "unknown" });
      expect(reason).toMatch(noMember);
    }
    const answer = await askAsKeeper(client, question("select", { owner: alice }));
    expect(answer).toMatchObject({ evaluatedAsRole: false, rows: [{ verdict: "yes" }] });
    expect(explain({ ...answer, claimsMissing: [] }, false).at(-1)).toMatch(noMember);
  });
});

test("so it does for defaults and views", async () => {
  const url = await database(`
    create function private.number() returns int language sql return 1;
    create table api.notes (
      place serial,
      user_id uuid default request.user_id(),
      code int default private.number(),
      primary key (user_id, code)
    );
    insert into api.notes (user_id) values ('${alice}');
    create view api.every as select id, title from api.tasks;
    create view api.numbers as select private.number() as id from api.tasks;
    create view api.kept with (security_invoker = true) as select id, title from api.tasks;
    grant select, insert on api.notes, api.every, api.numbers, api.kept to authenticated;
  `);
  await withClient(url, async (client) => {
    await client.query(`begin; ${keeper}`);
    const decide = async (verb: Verb, table: string, more: Partial<Question>) => {
      const { rows } = await askAsKeeper(client, question(verb, { table, id: null, ...more }));
      return [rows[0]?.verdict, rows[0]?.reason];
    };
    const denied = expect.stringContaining("permission denied for sequence notes_place_seq");
    const unknown = ["unknown", expect.stringMatching(noMember)];
    expect(await decide("insert", "notes", { row: { code: 2 } })).toEqual(["no", denied]);
    expect(await decide("insert", "notes", { row: { place: 2 } })).toEqual(unknown);
    await client.query("grant usage on all sequences in schema api to authenticated");
    expect((await decide("insert", "notes", { row: { code: 2 } }))[0]).toBe("yes");
    expect((await decide("select", "every", {}))[0]).toBe("yes");
    expect(await decide("select", "every", { id: taskId })).toEqual(unknown);
    expect(await decide("select", "numbers", {})).toEqual(unknown);
    expect((await decide("select", "kept", {}))[0]).toBe("depends");
  });
});

test("whatever the policies are, a session that may not become the role says what PostgreSQL does, or cannot tell", async () => {
  // One commit gets one verdict, as the three answers have to be among those of few tables.
  const seed = Number(process.env.TEST_SEED ?? 9);
  const { sql, tables } = randomTables(seed, 8);
  const url = await database(sql);
  const wrong: string[] = [];
  const said = new Set<string>();
  await withClient(url, async (asking) => {
    await asking.query(`begin; ${keeper}`);
    const model = await readAccess(asking);
    await withClient(url, async (acting) => {
      for (const [table, as, verb] of tables.flatMap(everyCase)) {
        const row = verb === "update" ? change : null;
        const what = question(verb, { as, table, id: "1", row });
        const answer = await askAsKeeper(asking, what, model);
        const verdict = answer.rows[0]?.verdict ?? "";
        const done = await reality(acting, {
          table,
          as,
          verb,
          columns: answer.columns,
          filters: true,
        });
        said.add(verdict);
        if (verdict !== "unknown" && verdict !== done)
          wrong.push(`${table} ${as} ${verb}: ${verdict}, but ${done}`);
      }
    });
  });
  expect(wrong, `TEST_SEED=${seed}`).toEqual([]);
  expect(said, `TEST_SEED=${seed}`).toEqual(new Set(["yes", "no", "unknown"]));
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
        verdicts.push(`${name} ${(row?.unfiltered ?? row)?.verdict} ${row?.verdict}`);
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
