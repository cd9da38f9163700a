import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readGraph } from "../../src/cells/graph.ts";
import { bucketOf } from "../../src/cells/map.ts";
import { type Move, moveUser, type Step } from "../../src/cells/move.ts";
import { evenSession, listChecks } from "../../src/cells/rows.ts";
import { type Caller, caller, claimsFor, sign } from "../../src/testing/api.ts";
import { newHome, rowhouse } from "../support/cli.ts";
import { projectRoot } from "../support/project.ts";
import { type Cell, type Cells, rowsOf, signInTo, startCells } from "./cells.ts";

/** The typed client of the project, as far as it is used here. */
interface Rowhouse {
  readonly tasks: { readonly create: (row: { title: string }) => Promise<{ title: string }> };
}

const { createRowhouse } = (await import(join(projectRoot, "client/index.ts"))) as {
  createRowhouse: (options: { url: string; token: () => Promise<string> }) => Rowhouse;
};

const prepare = `
  create function api.create_slowly(title text) returns void language plpgsql as $$
  begin perform pg_sleep(1.5); insert into api.tasks (title) values (create_slowly.title); end $$;
  grant execute on function api.create_slowly(text) to authenticated;
  create function api.count_slowly() returns int language plpgsql as $$
  begin perform pg_sleep(1.5); return (select count(*) from api.tasks); end $$;
  grant execute on function api.count_slowly() to authenticated;
  create type private.mood as enum ('fine', 'so so');
  create table private."Odd ones" (
    "The user" uuid not null references api.users (id),
    id int not null,
    above int,
    bytes bytea, json jsonb, texts text[], moods private.mood[], moment timestamptz, span interval,
    range tstzrange, exact numeric, inexact float8, padded char(5), "Quoted "" name" text,
    twice int generated always as (id * 2) stored,
    primary key ("The user", id),
    foreign key ("The user", above) references private."Odd ones" ("The user", id)
  );
  create table private.lists (user_id uuid references api.users (id), id int, primary key (user_id, id));
  create table private.items (
    user_id uuid references api.users (id), id int, list_id int not null, primary key (user_id, id),
    foreign key (user_id, list_id) references private.lists (user_id, id) deferrable initially deferred
  );
  create table private.parts (
    user_id uuid not null references api.users (id), list_id int, id int
  ) partition by range (id);
  create table private.parts_low partition of private.parts (
    foreign key (user_id, list_id) references private.lists (user_id, id)
  ) for values from (0) to (10);
  create table private.parts_high partition of private.parts for values from (10) to (20);
  create table api.audits (user_id uuid not null references api.users (id), what text);
  create table api.loose (user_id uuid not null);
  create table private.remarks (
    user_id uuid not null, task_id uuid not null, id int primary key,
    foreign key (user_id, task_id) references api.tasks (user_id, id)
  );
  create table private.teams (id uuid primary key);
  create table private.members (
    team_id uuid references private.teams (id), user_id uuid references api.users (id),
    primary key (team_id, user_id)
  );
  create table private.letters (
    id uuid primary key, sender uuid not null references api.users (id), receiver uuid references api.users (id)
  );`;

let cells: Cells;
beforeAll(async () => {
  cells = await startCells(prepare);
});
afterAll(() => cells?.stop());

/** A database's URL under which a move can be found, and killed. */
const named = ({ databaseUrl }: Cell) => {
  const url = new URL(databaseUrl);
  url.searchParams.set("application_name", "mover");
  return url.href;
};

/** Moves a user from a to b, unless it says otherwise. */
function move({ id }: { id: string }, other: Partial<Move> = {}) {
  const urls = { from: named(cells.a), to: named(cells.b), cell: "b", iss: "rowhouse" };
  const edge = { map: cells.map, sockets: [cells.socket], dryRun: false };
  return moveUser({ user: id, ...urls, ...edge, ...other });
}

const back = (): Partial<Move> => ({ from: named(cells.b), to: named(cells.a), cell: "a" });

async function create(user: Caller, title: string): Promise<number> {
  return (await user.ask("/tasks", { method: "POST", body: { title } })).status;
}

async function titles(user: Caller): Promise<unknown> {
  const { body } = await user.ask("/tasks?select=title&order=title");
  return (body as { title: string }[]).map(({ title }) => title);
}

/** The user is in one cell alone, with so many tasks, and may read and write there. */
async function expectIn(cell: "a" | "b", user: Caller, tasks: number): Promise<void> {
  const other = cell === "a" ? "b" : "a";
  expect(await rowsOf(cells[cell], user)).toEqual({ users: 1, tasks });
  expect(await rowsOf(cells[other], user)).toEqual({ users: 0, tasks: 0 });
  expect(readFileSync(cells.map, "utf8")).not.toContain(":moving");
  expect(await create(user, "later")).toBe(201);
  expect(await rowsOf(cells[cell], user)).toEqual({ users: 1, tasks: tasks + 1 });
  expect(existsSync(`${cells.map}.new`)).toBe(false);
}

test("Under load a user moves there and back: no acknowledged write is lost or twice", async () => {
  const user = await signInTo(cells, "a");
  const db = createRowhouse({ url: cells.edge.url, token: async () => sign(claimsFor(user.id)) });
  const acknowledged: string[] = [];
  // The client's own retries run out when moves follow on each other: then it says 503, too.
  const failures: { title: string; status: unknown }[] = [];
  let [stopped, made, refused] = [false, 0, 0];
  const byClient = async () => {
    while (!stopped) {
      made += 1;
      const title = `client ${made}`;
      await db.tasks.create({ title }).then(
        () => acknowledged.push(title),
        ({ status }) => failures.push({ title, status }),
      );
    }
  };
  const bare = async () => {
    while (!stopped) {
      made += 1;
      const title = `bare ${made}`;
      const status = await create(user, title);
      if (status === 201) acknowledged.push(title);
      else if (status === 503) refused += 1;
      else failures.push({ title, status });
    }
  };
  const loops = [byClient(), byClient(), byClient(), bare(), bare()];
  for (const turn of [1, 2, 3, 4]) {
    const goal = acknowledged.length + 15;
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(goal);
    await move(user, turn % 2 === 0 ? back() : {});
  }
  const goal = acknowledged.length + 15;
  await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(goal);
  stopped = true;
  await Promise.all(loops);

  expect(failures.filter(({ status }) => status !== 503)).toEqual([]);
  const failed = new Set(failures.map(({ title }) => title));
  const rows = await cells.a.sql("select title from api.tasks where user_id = $1", [user.id]);
  const stored = rows.map(({ title }) => String(title)).filter((title) => !failed.has(title));
  expect(stored.sort()).toEqual([...acknowledged].sort());
  expect(await rowsOf(cells.b, user)).toEqual({ users: 0, tasks: 0 });
  process.stdout.write(
    `${acknowledged.length} writes acknowledged during 4 moves, 0 lost, 0 twice, ${refused} refused without the client, ${failures.length} with it\n`,
  );
});

test("A write that is under way when a move begins is moved with the others", async () => {
  const user = await signInTo(cells, "a");
  const slow = user.ask("/rpc/create_slowly", { method: "POST", body: { title: "slow" } });
  const underWay = () => cells.edge.command(`show table writing key user/${user.id}`);
  await expect.poll(underWay, { timeout: 20_000 }).toContain("conn_cur=1");
  const moved = move(user);
  expect((await slow).status).toBe(204);
  await moved;
  expect(await titles(user)).toEqual(["slow"]);
  await expectIn("b", user, 1);
});

test("While a user moves, their writes are 503 with Retry-After, reads and other users go on", async () => {
  const [user, other] = [await signInTo(cells, "a"), await signInTo(cells, "a")];
  await create(user, "before");
  const seen: unknown[] = [];
  const onStep = async (step: Step) => {
    if (step === "hold" || step === "delete") return;
    const answer = await user.ask("/tasks", { method: "POST", body: { title: "meanwhile" } });
    seen.push([answer.status, answer.headers.get("retry-after"), await titles(user)]);
    seen.push(await create(other, "other"));
  };
  await move(user, { onStep });
  expect(seen.slice(0, 2)).toEqual([[503, "1", ["before"]], 201]);
  expect(seen).toEqual([1, 2, 3, 4].flatMap(() => [[503, "1", ["before"]], 201]));
  expect(await titles(user)).toEqual(["before"]);
});

describe("When a connection is killed", () => {
  const backOut = "the user stays";
  const goesOn = "the user has moved";
  test.each<[Step, "a" | "b", string]>([
    ["hold", "a", backOut],
    ["hold", "b", backOut],
    ["drain", "a", backOut],
    ["drain", "b", backOut],
    ["copy", "a", backOut],
    ["copy", "b", backOut],
    ["keep", "a", goesOn],
    ["keep", "b", backOut],
    ["switch", "a", goesOn],
    ["switch", "b", goesOn],
    ["delete", "a", goesOn],
    ["delete", "b", goesOn],
  ])("before the step %s, to cell %s: %s, with all rows", async (at, side, outcome) => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    const onStep = async (step: Step) => {
      if (step !== at) return;
      const killed = await cells[side].sql(
        `select pg_terminate_backend(pid, 20000) from pg_stat_activity
        where datname = current_database() and application_name = 'mover'`,
      );
      expect(killed).toEqual([{ pg_terminate_backend: true }]);
    };
    const ended = await move(user, { onStep }).catch((error) => error);
    if (outcome === backOut) expect(ended).toMatchObject({ code: "move_failed" });
    else expect(ended).toMatchObject({ moved: true });
    await expectIn(outcome === backOut ? "a" : "b", user, 1);
  });
});

/** A move that is killed before a step: its connections end, and it does nothing more. */
async function kill(user: Caller, at: Step): Promise<void> {
  await new Promise<void>((resolve) => {
    const onStep = (step: Step) => {
      if (step !== at) return;
      resolve();
      return new Promise(() => {});
    };
    void move(user, { onStep });
  });
  for (const { sql } of [cells.a, cells.b]) await endMoves(sql);
}

const endMoves = (sql: Cell["sql"]) =>
  sql(
    `select pg_terminate_backend(pid, 20000) from pg_stat_activity
    where datname = current_database() and application_name = 'mover'`,
  );

const setInEdge = (user: Caller, value: string) =>
  cells.edge.command(`set map ${cells.map} user/${user.id} ${value}`);

describe("A move that is killed is ended when it is run again:", () => {
  test.each<Step>(["drain", "copy", "keep", "switch", "delete"])(
    "before the step %s",
    async (at) => {
      const user = await signInTo(cells, "a");
      await create(user, "first");
      await kill(user, at);
      expect(await create(user, "held")).toBe(503);
      expect(await titles(user)).toEqual(["first"]);
      expect(await move(user)).toMatchObject({ moved: true, to: "b" });
      await expectIn("b", user, 1);
    },
  );

  test("after the map file was switched, and before the edge was", async () => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await kill(user, "delete");
    await setInEdge(user, "a:moving");
    expect(await move(user)).toMatchObject({ moved: true, from: "b", to: "b" });
    await expectIn("b", user, 1);
  });

  test("after the edge let the user write again, and before the map file did", async () => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await kill(user, "delete");
    await cells.a.sql("delete from api.users where id = $1", [user.id]);
    await setInEdge(user, "b");
    expect(await create(user, "second")).toBe(201);
    expect(await move(user)).toMatchObject({ moved: true, to: "b" });
    await expectIn("b", user, 2);
  });

  test("and no row is deleted that the other cell does not have", async () => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await kill(user, "delete");
    await cells.b.sql("update api.tasks set title = 'other' where user_id = $1", [user.id]);
    await expect(move(user)).rejects.toMatchObject({
      code: "move_unfinished",
      message: expect.stringContaining("api.tasks differ"),
    });
    expect(await rowsOf(cells.a, user)).toEqual({ users: 1, tasks: 1 });
    await cells.a.sql("delete from api.users where id = $1", [user.id]);
    await expectIn("b", user, 1);
  });

  test("or taken back, by a move to where the user was", async () => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await kill(user, "switch");
    expect(await rowsOf(cells.b, user)).toEqual({ users: 1, tasks: 1 });
    expect(await move(user, back())).toMatchObject({ moved: true, from: "a", to: "a" });
    await expectIn("a", user, 1);
  });
});

test("An interrupted move is taken back, and a second one of a user is refused meanwhile", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "first");
  const controller = new AbortController();
  const onStep = async (step: Step) => {
    if (step !== "copy") return;
    await expect(move(user)).rejects.toMatchObject({
      code: "move_refused",
      message: expect.stringContaining("Another command"),
    });
    controller.abort();
  };
  const interrupted = move(user, { onStep, signal: controller.signal });
  await expect(interrupted).rejects.toMatchObject({ code: "move_failed" });
  await expectIn("a", user, 1);
});

test("A read that is under way when the map is switched sees the rows", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "first");
  const slow = user.ask("/rpc/count_slowly");
  const underWay = () => cells.edge.command(`show table reading key a/${user.id}`);
  await expect.poll(underWay, { timeout: 20_000 }).toContain("conn_cur=1");
  await move(user);
  expect((await slow).body).toBe(1);
  await expectIn("b", user, 1);
});

test("A row that the other cell does not take, or changes, takes the move back", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "kept out");
  await cells.b.sql("alter table api.tasks add constraint out check (title <> 'kept out')");
  onTestFinished(() => void cells.b.sql("alter table api.tasks drop constraint if exists out"));
  await expect(move(user)).rejects.toMatchObject({
    code: "move_failed",
    message: expect.stringContaining('"out"'),
  });
  await expectIn("a", user, 1);
  await cells.b.sql("alter table api.tasks drop constraint out");

  await cells.b.sql(`create function private.change() returns trigger language plpgsql as
    $$ begin new.title := upper(new.title); return new; end $$;
    create trigger change before insert on api.tasks for each row execute function private.change()`);
  onTestFinished(() => void cells.b.sql("drop function private.change cascade"));
  await expect(move(user)).rejects.toMatchObject({ code: "move_failed" });
  await expectIn("a", user, 2);
});

describe("A trigger takes the move back", () => {
  /** Adds a trigger to api.tasks of a cell, for this test. */
  async function addTrigger({ sql }: Cell, when: string, body: string): Promise<void> {
    await sql(
      `create function private.interfere() returns trigger language plpgsql as
      $$ begin ${body} end $$;
      create ${when} on api.tasks XX for each row execute function private.interfere()`.replace(
        "XX",
        when.startsWith("constraint") ? "deferrable initially deferred" : "",
      ),
    );
    onTestFinished(async () => void (await sql("drop function private.interfere cascade")));
  }

  test.each([
    [
      "adds a row to a table that was copied before",
      "trigger t after insert",
      "insert into api.audits values (new.user_id, 'created'); return null;",
    ],
    [
      "changes a row when the other cell commits",
      "constraint trigger t after insert",
      "update api.tasks set title = 'changed' where id = new.id; return null;",
    ],
  ])("that %s", async (_, when, body) => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await addTrigger(cells.b, when, body);
    await expect(move(user)).rejects.toMatchObject({ code: "move_failed" });
    await expectIn("a", user, 1);
  });

  test.each([
    ["keeps a row in the old cell", "trigger t before delete", "return null;"],
    ["refuses the old cell's commit", "constraint trigger t after delete", "raise 'kept';"],
  ])("that %s", async (_, when, body) => {
    const user = await signInTo(cells, "a");
    await create(user, "first");
    await addTrigger(cells.a, when, body);
    await expect(move(user)).rejects.toMatchObject({ code: "move_failed" });
    await expectIn("a", user, 1);
  });
});

test("A failure after the other cell has committed takes the rows out of it again", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "first");
  const onStep = async (step: Step) => {
    if (step !== "switch") return;
    expect(await rowsOf(cells.b, user)).toEqual({ users: 1, tasks: 1 });
    throw new Error("It is enough.");
  };
  await expect(move(user, { onStep })).rejects.toMatchObject({ code: "move_failed" });
  await expectIn("a", user, 1);
});

test("A move that could not be taken back is ended by the next one", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "first");
  const draft = `${cells.map}.new`;
  const onStep = (step: Step) => step === "switch" && writeFileSync(draft, "");
  await expect(move(user, { onStep })).rejects.toMatchObject({ code: "move_unfinished" });
  expect(await create(user, "held")).toBe(503);
  expect(await titles(user)).toEqual(["first"]);
  rmSync(draft);
  await move(user);
  await expectIn("b", user, 1);
});

test("Every value arrives as it was, also of tables that hang from the user by others", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "task");
  await cells.a.sql(
    `insert into private."Odd ones" values
      ($1, 2, 1, '\\x00ff', 'null', '{a,NULL,"NULL","b\\"c"}', '{so so}', 'infinity', '1 mon -2 days 03:04:05.6',
        '[2020-01-01,)', 1e-30, 0.1::float8 + 0.2::float8, 'ab', E'tab\\t\\\\N'),
      ($1, 1, null, null, null, '{{1,2},{3,4}}', null, '-infinity', null, 'empty', 'NaN', '-Infinity', null, '')`,
    [user.id],
  );
  await cells.a.sql(
    "insert into private.remarks select user_id, id, 7 from api.tasks where user_id = $1",
    [user.id],
  );
  const read = async ({ sql }: Cell) => [
    await sql(`select o::text from private."Odd ones" as o where "The user" = $1 order by id`, [
      user.id,
    ]),
    await sql("select r::text from private.remarks as r where user_id = $1", [user.id]),
    await sql("select t::text from api.tasks as t where user_id = $1", [user.id]),
    await sql("select u::text from api.users as u where id = $1", [user.id]),
  ];
  const before = await read(cells.a);
  const { tables } = await move(user);
  expect(tables).toEqual(
    expect.arrayContaining([
      { table: "api.users", rows: 1 },
      { table: "api.tasks", rows: 1 },
      { table: 'private."Odd ones"', rows: 2 },
      { table: "private.remarks", rows: 1 },
    ]),
  );
  expect(await read(cells.b)).toEqual(before);
  expect(await read(cells.a)).toEqual([[], [], [], []]);
});

test("Rows that refer to each other, to others in two ways, or from a partition, arrive, however many", async () => {
  const user = await signInTo(cells, "a");
  await cells.a.sql(
    `insert into private."Odd ones" ("The user", id, above, texts)
    select $1, n, nullif(n + 1, 2501), array[repeat('x', 5000)] from generate_series(1, 2500) as n`,
    [user.id],
  );
  await cells.a.sql("insert into private.lists select $1, n from generate_series(1, 3) as n", [
    user.id,
  ]);
  await cells.a.sql("insert into private.items select $1, n, n from generate_series(1, 3) as n", [
    user.id,
  ]);
  await cells.a.sql("insert into private.parts values ($1, 1, 1), ($1, null, 11)", [user.id]);
  const { tables } = await move(user);
  expect(tables).toEqual(
    expect.arrayContaining([
      { table: 'private."Odd ones"', rows: 2500 },
      { table: "private.lists", rows: 3 },
      { table: "private.items", rows: 3 },
      { table: "private.parts", rows: 2 },
    ]),
  );
  await expectIn("b", user, 0);
});

test("However many users a table has, only the rows of one are read", async () => {
  const client = new pg.Client({ connectionString: cells.a.databaseUrl });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`begin; ${evenSession}; set local enable_seqscan = off`);
  const graph = await readGraph(client);
  const rows = graph.tables
    .filter(({ name }) => name === "private.items")
    .map(({ name, condition }) => `select from ${name} where ${condition}`);
  const checks = listChecks(graph)
    .filter(({ child }) => child === "private.items")
    .map(({ text }) => text);
  expect(rows.length + checks.length).toBe(5);
  for (const text of [...rows, ...checks]) {
    const plan = await client.query<{ "QUERY PLAN": string }>(`explain (generic_plan) ${text}`);
    const lines = plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
    // A subplan is run for each row when its result is too large for the memory.
    expect(lines, text).not.toMatch(/Seq Scan|SubPlan/);
  }
});

test("No limit of a role ends a move, and what it commits is on the disk", async () => {
  const options = [
    "statement_timeout=1h",
    "idle_in_transaction_session_timeout=1h",
    "synchronous_commit=off",
  ];
  const url = new URL(cells.a.databaseUrl);
  url.searchParams.set("options", options.map((option) => `-c ${option}`).join(" "));
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  onTestFinished(() => client.end());
  const read = async () => {
    const { rows } = await client.query(
      `select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle,
        current_setting('synchronous_commit') as commit`,
    );
    return rows[0];
  };
  expect(await read()).toEqual({ statement: "1h", idle: "1h", commit: "off" });
  await client.query(`begin; ${evenSession}`);
  expect(await read()).toEqual({ statement: "0", idle: "0", commit: "on" });
});

describe("A move is refused, and nothing changed,", () => {
  const refused = (message: string) => ({
    code: "move_refused",
    message: expect.stringContaining(message),
  });

  test("of a user who is in a team, or shares a row with another user", async () => {
    const [user, other] = [await signInTo(cells, "a"), await signInTo(cells, "a")];
    const team = "0190a000-0000-7000-8000-000000000001";
    await cells.a.sql("insert into private.teams values ($1)", [team]);
    await cells.a.sql("insert into private.members values ($1, $2)", [team, user.id]);
    await expect(move(user)).rejects.toMatchObject(refused("private.teams"));
    await cells.a.sql("delete from private.members");
    await cells.a.sql("insert into private.letters values ($1, $2, $3)", [team, other.id, user.id]);
    await expect(move(user)).rejects.toMatchObject(refused("private.letters"));
    await expect(move(other)).rejects.toMatchObject(refused("private.letters"));
    await cells.a.sql("delete from private.letters");
    await expectIn("a", user, 0);
  });

  test("when a sequence numbers rows, or the cells differ", async () => {
    const user = await signInTo(cells, "a");
    const numbered = "create table private.numbered (user_id uuid references api.users, id serial)";
    await cells.a.sql(numbered);
    await expect(move(user)).rejects.toMatchObject(refused("private.numbered.id"));
    await cells.a.sql("alter table private.numbered alter id drop default");
    await expect(move(user)).rejects.toMatchObject(refused("differ in private.numbered"));
    await cells.a.sql("drop table private.numbered");
    await expectIn("a", user, 0);
  });

  test("when both URLs are one database, the user is there already, or has rows there", async () => {
    const user = await signInTo(cells, "a");
    await expect(move(user, { to: named(cells.a) })).rejects.toMatchObject(refused("one database"));
    await expect(move(user, { cell: "a" })).rejects.toMatchObject(refused("already"));
    await cells.b.sql("insert into api.users (id) values ($1)", [user.id]);
    await cells.b.sql("insert into api.tasks (user_id, title) values ($1, 'left')", [user.id]);
    await expect(move(user)).rejects.toMatchObject(refused("api.tasks"));
    await cells.b.sql("delete from api.users where id = $1", [user.id]);
    await expectIn("a", user, 0);
  });

  test("when the role in a URL does not see every row", async () => {
    const user = await signInTo(cells, "a");
    for (const way of ["from", "to"] as const) {
      const url = new URL(named(way === "from" ? cells.a : cells.b));
      url.searchParams.set("options", "-c role=authenticated");
      await expect(move(user, { [way]: url.href })).rejects.toMatchObject({ code: "rows_hidden" });
    }
    await expectIn("a", user, 0);
  });

  test("when the edge does not answer, or lacks the cell", async () => {
    const user = await signInTo(cells, "a");
    const away = move(user, { sockets: [cells.socket, `${cells.socket}.not`] });
    await expect(away).rejects.toMatchObject({ code: "edge_failed" });
    for (const cell of ["c", "unknown"]) {
      await expect(move(user, { cell })).rejects.toMatchObject({ code: "edge_failed" });
    }
    await expectIn("a", user, 0);
  });

  test("when the edge has another map than the file", async () => {
    const user = await signInTo(cells, "a");
    const map = join(mkdtempSync(join(tmpdir(), "rowhouse-map-")), "cells.map");
    onTestFinished(() => rmSync(dirname(map), { recursive: true }));
    const key = `bucket/${bucketOf(user.id)}`;
    const text = readFileSync(cells.map, "utf8");
    writeFileSync(map, text.replace(`${key} a`, `${key} c`));
    const other = { code: "edge_failed", message: expect.stringContaining(`has a for ${key}`) };
    await expect(move(user, { map })).rejects.toMatchObject(other);
    writeFileSync(map, `${text}user/${user.id} c\n`);
    await expect(move(user, { map })).rejects.toMatchObject({ code: "edge_failed" });
    await expectIn("a", user, 0);
  });

  test("when no foreign key leads to rows of the user, or a database takes no writes", async () => {
    const user = await signInTo(cells, "a");
    await cells.a.sql("insert into api.loose values ($1)", [user.id]);
    await expect(move(user)).rejects.toMatchObject(refused("api.loose"));
    await cells.a.sql("delete from api.loose");
    for (const way of ["from", "to"] as const) {
      const url = new URL(named(way === "from" ? cells.a : cells.b));
      url.searchParams.set("options", "-c default_transaction_read_only=on");
      await expect(move(user, { [way]: url.href })).rejects.toMatchObject(refused(`--${way}`));
    }
    await expectIn("a", user, 0);
  });
});

test.each(["auth0|1", 'a;b\\c"d'])(
  "A user whose sub is %s moves by it, and by no other",
  async (sub) => {
    const user = caller(cells.edge, sign({ ...claimsFor("x"), sub }));
    const { body } = await user.ask("/rpc/me", { method: "POST" });
    const { id } = body as { id: string };
    const inA = (await rowsOf(cells.a, { id })).users === 1;
    const way = inA ? {} : back();
    await expect(move({ id }, way)).rejects.toMatchObject({ code: "move_refused" });
    const wrong = move({ id }, { ...way, sub: "auth0|2" });
    await expect(wrong).rejects.toMatchObject({ code: "move_refused" });
    await move({ id }, { ...way, sub });
    await expectIn(inA ? "b" : "a", { ...user, id }, 0);
  },
);

test("The command shows what it would move, and moves it", async () => {
  const user = await signInTo(cells, "a");
  await create(user, "task");
  const args = [
    "cells",
    "move",
    user.id,
    "--from",
    cells.a.databaseUrl,
    "--to",
    cells.b.databaseUrl,
  ];
  const where = ["--cell", "b", "--map", cells.map];
  const env = { ROWHOUSE_HOME: newHome() };
  const dry = await rowhouse([...args, ...where, "--dry-run"], env);
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("api.tasks  1") });
  expect(dry.stdout).toContain(`Would move ${user.id} from a to b`);
  expect(await rowhouse([...args, ...where], env)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--socket"),
  });
  await expectIn("a", user, 1);
  const done = await rowhouse([...args, ...where, "--socket", cells.socket, "--json"], env);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(done.stdout)).toMatchObject({ user: user.id, from: "a", to: "b", moved: true });
  await expectIn("b", user, 2);
});
