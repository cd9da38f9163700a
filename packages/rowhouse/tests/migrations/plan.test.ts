import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { compareCatalogs, readCatalog } from "../../src/schema/catalog/catalog.ts";
import { unplanned } from "../../src/schema/catalog/coverage.ts";
import { type Draft, draftMigration } from "../../src/schema/plan/migration.ts";
import { planChanges } from "../../src/schema/plan/plan.ts";
import { readSnapshot } from "../../src/schema/plan/snapshot.ts";
import { migratedSources } from "../../src/schema/plan/sources.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase, testScratch } from "../../src/testing/database.ts";
import { copyProject } from "../support/project.ts";

/** A change to a file: one text in it becomes another, or it is a new file. */
type Edit = readonly [file: string, from: string, to: string];

/** Drafts the migration that a project needs after some edits. */
async function draftAfter(...edits: Edit[]): Promise<Draft | undefined> {
  const root = copyProject();
  for (const [file, from, to] of edits) {
    const path = join(root, file);
    const text = from === "" ? "" : readFileSync(path, "utf8");
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    writeFileSync(path, from === "" ? to : text.replaceAll(from, to));
  }
  const [migrated, declared] = [testScratch(), testScratch()];
  return draftMigration({ root, dir: join(root, "db/migrations"), migrated, declared }, "edited");
}

const notes: Edit = [
  "sql/api/notes.sql",
  "",
  `-- What people write down.
create table api.notes (
  user_id uuid not null default request.user_id(),
  id uuid not null default request.uuid_v7(),
  body text not null,
  constraint notes_pkey primary key (user_id, id),
  constraint notes_user_id_fkey foreign key (user_id) references api.users (id) on delete cascade
);

alter table api.notes enable row level security;
alter table api.notes force row level security;
alter table api.notes alter column body set statistics 0;

grant select (user_id, id, body), delete on api.notes to authenticated;

-- Their own.
create policy select_own on api.notes
for select to authenticated
using (user_id = request.user_id());
`,
];

describe("a migration reads as people wrote its parts", () => {
  test("for a policy, a column in the middle, a function, a grant, a comment and a constraint", async () => {
    const draft = await draftAfter(
      [
        "policies/tasks.sql",
        "for delete to authenticated\nusing (user_id = request.user_id())",
        "for delete to authenticated\nusing (user_id = request.user_id() and completed)",
      ],
      ["policies/tasks.sql", "'Whether it is done.'", "'Whether it is over.'"],
      [
        "policies/tasks.sql",
        "  delete\non api.tasks",
        "  delete,\n  update (created_at)\non api.tasks",
      ],
      [
        "sql/api/tasks.sql",
        "  completed boolean",
        "  note text not null default '',\n  completed boolean",
      ],
      ["sql/api/tasks.sql", "between 1 and 200", "between 1 and 300"],
      ["sql/request/is_blank.sql", "-- Spelled out", "-- Spelt out"],
    );
    const [, up, down] =
      /migrate:up\n([\s\S]*)-- migrate:down\n([\s\S]*)/.exec(draft?.text ?? "") ?? [];
    expect(up).toBe(`
set local lock_timeout = '3s';

alter table api.tasks
  drop constraint tasks_title_length;

alter table api.tasks
  add column note text not null default ''::text;

create or replace function request.is_blank(value text)
returns boolean
language sql
immutable
parallel safe
as $$
  -- Spelt out: which characters [[:space:]] and \\s match depends on the server's locale.
  select value !~ '[^\\s\\u0085\\u00a0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u2060\\u3000\\ufeff]'
$$;

alter table api.tasks
  add constraint tasks_title_length
    check ((char_length(title) >= 1) and (char_length(title) <= 300));

alter policy delete_own on api.tasks
to authenticated
using (user_id = request.user_id() and completed);

comment on column api.tasks.completed is
  'Whether it is over.';

grant update (created_at) on api.tasks to authenticated;

notify pgrst, 'reload schema';

`);
    expect(down).toContain("drop column note;");
    expect(down).toContain(
      "alter policy delete_own on api.tasks\nto authenticated\nusing (user_id = request.user_id());",
    );
    expect(down).toContain("revoke update (created_at) on api.tasks from authenticated;");
    expect(draft).toMatchObject({ hazards: [], proof: { rows: 22, tables: 10, untried: [] } });
  });

  test("for a new table, which is its file", async () => {
    const draft = await draftAfter(notes);
    const written = notes[2].trim().split("\n\n");
    const [table, policy] = [written.at(0), written.at(-1)].map((sql) => sql?.replace(/;$/, ""));
    expect(draft?.up[0]).toBe(table);
    expect(draft?.up).toContain(policy);
    expect(draft?.text.split("-- migrate:down")[1]).toBe(
      "\n\nset local lock_timeout = '3s';\n\ndrop table api.notes;\n\nnotify pgrst, 'reload schema';\n",
    );
    expect(draft?.text).not.toMatch(/owner to|postgres/i);
  });
});

/** A table with most that a table can have, and rows that only fit when made with care. */
const orders = `create type api.state as enum ('open', 'done');

create table api.orders (
  user_id uuid not null,
  id uuid not null default request.uuid_v7(),
  task_id uuid not null,
  state api.state not null default 'open',
  "Net" int not null,
  gross int generated always as ("Net" * 2) stored,
  constraint orders_pkey primary key (user_id, id),
  constraint orders_task_fkey foreign key (user_id, task_id) references api.tasks (user_id, id)
);

revoke usage on type api.state from public;

create view api.nets with (security_invoker = true) as select "Net" from api.orders;

grant select on api.nets to authenticated;
`;
const ordersFile = "sql/api/orders.sql";

test("a new table with types of its own reads as its file, too", async () => {
  const draft = await draftAfter([ordersFile, "", orders]);
  const [, table] = orders.split("\n\n");
  expect(draft?.up[0]).toContain("create type api.state as enum");
  expect(draft?.up[1]).toBe(table?.replace(/;$/, ""));
  expect(draft?.text).not.toContain("add column");
});

test("a column that is computed again keeps the other columns, and what is dropped is so by its quoted name", async () => {
  const migration: Edit = [
    "db/migrations/20261201000000_orders.sql",
    "",
    `-- migrate:up\n${orders}\n-- migrate:down\ndrop view api.nets; drop table api.orders; drop type api.state;\n`,
  ];
  const changed = orders
    .replace('  "Net" int not null,\n', "  cents int,\n")
    .replace('("Net" * 2)', "(cents * 3)")
    .replace('select "Net"', "select gross");
  const draft = await draftAfter(migration, [ordersFile, "", changed]);
  expect(draft?.hazards).toMatchObject([{ kind: "drop", object: 'api.orders."Net"' }]);
  expect(draft?.proof).toEqual({
    rows: 24,
    tables: 11,
    untried: [],
    emptied: ["api.orders"],
    staying: [],
  });
  expect(draft?.text).toContain("-- Only while api.orders is empty: a column comes back.");
  expect(draft?.up).toContain("grant select on api.nets to authenticated");
});

test("privileges of every kind arrive and return, on names that need quotes too", async () => {
  const draft = await draftAfter([
    "sql/api/order.sql",
    "",
    `create type api.state as enum ('open', 'done');
revoke usage on type api.state from public;
create table api."order" ("Order No" int not null primary key, state api.state not null);
comment on table api."order" is 'Orders.';
alter table api."order" enable row level security;
grant select ("Order No") on api."order" to authenticated with grant option;
grant delete on api."order" to authenticated;
create function api.count_orders(state api.state) returns bigint language sql stable
begin atomic;
  select count(*) from api."order" as o where o.state = count_orders.state;
end;
grant execute on function api.count_orders(api.state) to authenticated;
grant usage on schema private to authenticated;
alter default privileges in schema api grant select on tables to authenticated;
`,
  ]);
  expect(draft?.text).toContain('grant delete on api."order" to authenticated;');
  expect(draft?.text).toContain("revoke usage on schema private from authenticated;");
  expect(draft?.text).toContain("revoke usage on type api.state from public;");
});

test("what a later migration altered, dropped or made again is not taken from where it was made", () => {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-sources-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const write = (file: string, up: string) =>
    writeFileSync(
      join(dir, file),
      `-- migrate:up\n${up}\n-- migrate:down\ncreate table api.never ();`,
    );
  write("1_a.sql", "create policy a on api.t; create policy b on api.t; create table api.u ();");
  write("2_b.sql", "alter policy a on api.t using (true); drop table api.u;");
  write(
    "3_c.sql",
    "create or replace function api.f() as $$ 1 $$; create or replace function api.f() as $$ 2 $$;",
  );
  write("4_d.sql", "create policy c on api.t;");
  expect([...migratedSources(dir)]).toEqual([
    ["policy b on api.t", "create policy b on api.t"],
    ["function api.f", "create or replace function api.f() as $$ 2 $$"],
    ["policy c on api.t", "create policy c on api.t"],
  ]);
});

const marks: Edit = [
  "sql/private/mark.sql",
  "",
  `create type private.mark as (value text);

create function private.to_mark(text) returns private.mark
language sql immutable
return row($1)::private.mark;

create function private.is_like(text, private.mark) returns boolean
language sql immutable
return $1 = ($2).value;

create function private.is_unlike(text, private.mark) returns boolean
language sql immutable
return $1 <> ($2).value;

create cast (text as private.mark) with function private.to_mark(text) as assignment;
create cast (int as private.mark) with inout;
create operator private.~~= (
  function = private.is_like, leftarg = text, rightarg = private.mark,
  negator = operator(private.!~~=), restrict = eqsel, join = eqjoinsel
);
create operator private.!~~= (
  function = private.is_unlike, leftarg = text, rightarg = private.mark,
  negator = operator(private.~~=)
);
comment on operator private.~~= (text, private.mark) is 'It''s alike.';
comment on cast (text as private.mark) is 'Made.';
`,
];

/** In front of all that they need, and used by a policy. */
const useMarks: Edit = [
  "policies/tasks.sql",
  "for delete to authenticated\nusing (user_id = request.user_id())",
  "for delete to authenticated\nusing (user_id = request.user_id() and title operator(private.~~=) 'a'::text::private.mark)",
];

test("operators and casts are planned there and back, with what needs them and what they need", async () => {
  const draft = await draftAfter(marks, useMarks);
  const { up, text } = draft as Draft;
  const find = (start: string) => up.findIndex((sql) => sql.startsWith(start));
  expect(find("create operator private.~~=")).toBeGreaterThan(
    find("create function private.is_like"),
  );
  expect(find("alter policy delete_own")).toBeGreaterThan(find("create operator private.~~="));
  expect(text).toContain(`create operator private.~~= (
  function = private.is_like,
  leftarg = text,
  rightarg = private.mark,
  negator = operator(private.!~~=),
  restrict = eqsel,
  join = eqjoinsel
);`);
  expect(text).toContain("create cast (integer as private.mark)\nwith inout;");
  expect(text).toContain(
    "comment on operator private.~~=(text,private.mark) is\n  'It''s alike.';",
  );
  const down = text.slice(text.indexOf("-- migrate:down"));
  expect(down).toContain("drop operator private.~~=(text,private.mark);");
  expect(down).toContain("drop cast (text as private.mark);");
});

test("nothing is drafted where nothing was edited", async () => {
  expect(await draftAfter()).toBeUndefined();
});

test("a dropped column is a hazard; the other columns of its rows survive", async () => {
  const draft = await draftAfter(
    ["sql/api/tasks.sql", "  completed boolean not null default false,\n", ""],
    [
      "policies/tasks.sql",
      "comment on column api.tasks.completed is\n  'Whether it is done.';\n",
      "",
    ],
    ["policies/tasks.sql", "description, completed", "description"],
  );
  expect(draft?.hazards).toMatchObject([{ kind: "drop", object: "api.tasks.completed" }]);
  expect(draft?.proof.rows).toBe(22);
});

test.each<[what: string, reason: RegExp, remedy: RegExp, edit: Edit]>([
  [
    "rows that are there make it fail",
    /fails on the way up: .*column "note" of relation "tasks" contains null values/s,
    /--draft/,
    ["sql/api/tasks.sql", "  completed boolean", "  note text not null,\n  completed boolean"],
  ],
  [
    "the planner does not know what was changed",
    /fails on the way up: It arrives somewhere else .*- grant database to public: temporary/s,
    /does not plan it \(grant\).*npx dbmate new/,
    ["sql/database/privileges.sql", "revoke temporary", "revoke create"],
  ],
  [
    "the planner leaves out an operator family beside a column",
    /fails on the way up: It arrives somewhere else .*- operator family api\.sizes/s,
    /does not plan it \(operator family\)/,
    [
      "sql/api/tasks.sql",
      "create table",
      "create operator family api.sizes using btree;\n\ncreate table",
    ],
  ],
])("no migration is written when %s", async (_what, reason, remedy, edit) => {
  await expect(draftAfter(edit)).rejects.toMatchObject({
    code: "plan_unproven",
    message: expect.stringMatching(reason),
    remedy: expect.stringMatching(remedy),
  });
});

test("what is compared and not planned is what the list says, and the remedy says how it comes", async () => {
  const [from, to] = [await cloneDatabase(), await cloneDatabase()];
  await withClient(to, (client) => client.query(unplannedChanges));
  const [before, after] = [await readSnapshot(from), await readSnapshot(to)];
  await withClient(from, async (client) => {
    for (const sql of planChanges(before, after)) await client.query(sql);
  });
  const { missing, surplus } = compareCatalogs(after.catalog, await readCatalog(from));
  const kinds = new Set([...missing, ...surplus].map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(Object.keys(unplanned));
});

const unplannedChanges = `
  create statistics api.together on title, completed from api.tasks;
  grant execute on function pg_catalog.pg_read_file(text) to authenticated;
  revoke execute on function pg_catalog.pg_sleep(float8) from public;
  alter table api.tasks alter column title set storage external;
  do $$ begin
    execute format('alter role authenticated in database %I set statement_timeout = 0', current_database());
  end $$;
  create operator family api.sizes using btree;
  create operator class api.sizes for type int using btree family api.sizes
    as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
  create conversion api.conversion for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
  create language other handler plpgsql_call_handler;
  create access method other type table handler heap_tableam_handler;
  create type api.shell;
  create text search dictionary api.stems (template = snowball, language = 'german');
  create text search configuration api.words (copy = pg_catalog.simple);
  create transform for int language sql (from sql with function pg_catalog.varchar_support(internal));
  -- These are planned, as is nearly all else.
  create operator api.### (function = pg_catalog.int4eq, leftarg = int, rightarg = int);
  create cast (int as uuid) with inout;
  create function api.add(int, int) returns int language sql immutable as 'select $1 + $2';
  create aggregate api.total (int) (sfunc = api.add, stype = int, initcond = '0');
  create collation api.german (provider = icu, locale = 'de');
  create publication tidings for table api.users;
  create view api.seen as select id from api.users;
  create domain api.short as text;
`;
