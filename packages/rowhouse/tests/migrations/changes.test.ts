import { expect, onTestFinished, test } from "vitest";
import { findPlanHazards } from "../../src/schema/plan/hazards.ts";
import { planChanges } from "../../src/schema/plan/plan.ts";
import { readSnapshot } from "../../src/schema/plan/snapshot.ts";
import { withClient } from "../../src/stack/database.ts";
import { migrate } from "../../src/stack/dbmate.ts";
import { startCluster } from "../../src/testing/cluster.ts";
import { cloneDatabase } from "../../src/testing/database.ts";

/** What leads from a database to the same one after some SQL, and the hazards of that. */
async function planStatements(
  before: string,
  change: string,
  sources = new Map<string, string>(),
  database?: string,
) {
  const url = database ?? (await cloneDatabase());
  const after = async (sql: string) => {
    await withClient(url, (client) => client.query(sql));
    return readSnapshot(url, { anonymous: "anonymous" });
  };
  const [from, to] = [await after(before), await after(change)];
  const statements = planChanges(from, to, sources);
  const hazards = findPlanHazards([from, to], statements);
  return { statements, hazards, url };
}

const notes = `
  create table api.notes (id int primary key, body text, size int generated always as (length(body)) stored);
  create view api.short with (security_invoker = true) as select id from api.notes where size < 9;
  create function api.count(text) returns int language sql as 'select 1';
  grant select on api.short to authenticated;
  grant execute on function api.count(text) to authenticated;
`;

const policy = (rest: string) => `create policy select_own on api.tasks\n${rest}`;

test.each([
  ["another verb", policy("for all to authenticated\nusing (completed)")],
  ["another mode", policy("as restrictive for select to authenticated\nusing (completed)")],
])(
  "a policy with %s is dropped and made again, since altering it does not do",
  async (_, written) => {
    const source = new Map([["policy select_own on api.tasks", written]]);
    const { statements } = await planStatements(
      "",
      `drop policy select_own on api.tasks; ${written}`,
      source,
    );
    expect(statements).toEqual(["drop policy select_own on api.tasks", written]);
  },
);

test("a policy that loses its WITH CHECK is created again, too", async () => {
  const written =
    "create policy update_own on api.tasks\nfor update to authenticated\nusing (completed)";
  const source = new Map([["policy update_own on api.tasks", written]]);
  const { statements } = await planStatements(
    "",
    `drop policy update_own on api.tasks; ${written}`,
    source,
  );
  expect(statements).toEqual(["drop policy update_own on api.tasks", written]);
});

test("what is dropped and created again gets its grants back", async () => {
  const { statements } = await planStatements(
    notes,
    `drop view api.short; create view api.short with (security_invoker = true) as select body from api.notes;
     grant select on api.short to authenticated;
     drop function api.count(text); create function api.count(text) returns bigint language sql as 'select 1::bigint';
     grant execute on function api.count(text) to authenticated;`,
  );
  expect(statements).toContain("drop view api.short");
  expect(statements).toContain("grant select on api.short to authenticated");
  expect(statements).toContain("drop function api.count(text)");
  expect(statements).toContain("grant execute on function api.count(text) to authenticated");
});

test("a schema belongs to the role that runs the migration", async () => {
  expect((await planStatements("", "create schema extra")).statements).toEqual([
    "create schema extra",
  ]);
});

test.each([
  [
    "a column that PostgreSQL computes from now on",
    "alter table api.notes drop column body cascade; alter table api.notes add body text generated always as ('a') stored",
    ["drop api.notes.size", "drop api.notes.body"],
  ],
  [
    "a column that it no longer computes",
    "drop view api.short; alter table api.notes drop size; alter table api.notes add size int",
    ["drop api.notes.size"],
  ],
  [
    "a table that becomes another kind of table",
    "drop table api.notes cascade; create table api.notes (id int, body text, size int) partition by range (id)",
    ["drop api.notes"],
  ],
])("it is a hazard to create again: %s", async (_what, change, wanted) => {
  const { hazards } = await planStatements(notes, change);
  expect(hazards.map(({ kind, object }) => `${kind} ${object}`)).toEqual(wanted);
});

test("it is none to compute a column in another way", async () => {
  const { statements, hazards } = await planStatements(
    notes,
    "drop view api.short; alter table api.notes drop size; alter table api.notes add size int generated always as (length(body) + 1) stored",
  );
  expect(statements).toContain("alter table api.notes\n  drop column size");
  expect(hazards).toEqual([]);
});

test("a column that may have been renamed is reported as that", async () => {
  const { hazards } = await planStatements(
    "",
    "alter table api.tasks rename description to details",
  );
  expect(hazards).toMatchObject([
    {
      object: "api.tasks.description",
      message: expect.stringContaining(
        "If api.tasks.details is its new name, `rowhouse db migration <name> --rename api.tasks.description=details` keeps it.",
      ),
    },
  ]);
});

const restrictive = "create policy limits on api.tasks as restrictive for select to";

test.each([
  [
    "drop a restrictive policy",
    `${restrictive} public using (completed)`,
    "drop policy limits on api.tasks",
  ],
  [
    "take them out of one",
    `${restrictive} anonymous, authenticated using (completed)`,
    "alter policy limits on api.tasks to authenticated",
  ],
  [
    "loosen one",
    `${restrictive} public using (completed)`,
    "alter policy limits on api.tasks using (true)",
  ],
])("for anonymous requests, it is a hazard to %s", async (_, before, change) => {
  const { hazards } = await planStatements(before, change);
  expect(hazards.map(({ kind, object }) => `${kind} ${object}`)).toEqual(["anonymous api.tasks"]);
});

test("it is none to restrict them more", async () => {
  expect((await planStatements("", `${restrictive} public using (completed)`)).hazards).toEqual([]);
});

test("a policy is dropped and made again around what it needs and gets another type", async () => {
  const before = `${notes} create policy own on api.notes for select using (body = 'a')`;
  const { statements } = await planStatements(
    before,
    `drop policy own on api.notes; drop view api.short;
     alter table api.notes drop size;
     alter table api.notes alter body type varchar(9);
     create policy own on api.notes for select using (body = 'b')`,
    new Map([["policy own on api.notes", policy("")]]),
  );
  expect(statements.indexOf("drop policy own on api.notes")).toBeGreaterThanOrEqual(0);
  expect(statements.join()).not.toContain("alter policy");
});

test("a policy is altered although its condition only speaks of what goes", async () => {
  const written = "create policy own on api.notes\nfor select to public\nusing (body = 'count b')";
  const { statements } = await planStatements(
    `${notes} create policy own on api.notes for select using (body = 'count body short')`,
    `drop policy own on api.notes; drop view api.short; drop function api.count(text); ${written}`,
    new Map([["policy own on api.notes", written]]),
  );
  expect(statements.filter((sql) => sql.includes("policy"))).toEqual([
    "alter policy own on api.notes\nto public\nusing (body = 'count b')",
  ]);
});

test("what belongs to the plan is decided by what a statement does, not by its words", async () => {
  // Roles belong to the server: on that of other tests, these would see theirs change.
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  await migrate(cluster.url);
  const { statements } = await planStatements(
    `${notes} create role "odd ON one"`,
    `grant "odd ON one" to authenticated;
     comment on table api.notes is 'see "public"."schema_migrations", GRANT a ON b'`,
    new Map(),
    cluster.url,
  );
  expect(statements.toSorted()).toEqual([
    expect.stringContaining(`see "public"."schema_migrations", GRANT a ON b`),
    'grant "odd ON one" to authenticated',
  ]);
});

test("an owner that is declared is part of the plan, and of what is made again", async () => {
  const own = "alter view api.short owner to authenticated";
  const again = "drop view api.short; create view api.short as select body from api.notes";
  const first = await planStatements(notes, own);
  expect(first.statements).toContain(own);
  const second = await planStatements(`${notes} ${own}`, `${again}; ${own}`);
  expect(second.statements.filter((sql) => sql.includes("view api.short"))).toEqual([
    "drop view api.short",
    expect.stringContaining("create view api.short"),
    own,
  ]);
  const back = await planStatements(
    `${notes} ${own}`,
    "alter view api.short owner to current_user; alter function api.count(text) owner to authenticated",
  );
  // In this order, an owner keeps what it may do with what it owns, and others what they are granted.
  expect(back.statements).toEqual([
    "alter view api.short owner to current_user",
    "revoke execute on function api.count(text) from authenticated",
    "alter function api.count(text) owner to authenticated",
  ]);
});
