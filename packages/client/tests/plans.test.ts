import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRowhouse, type Rowhouse } from "../../../client/index.ts";
import { findOverruns, type PlanMode } from "./plans/budget.ts";
import { type Recorder, type Statement, startRecorder } from "./plans/recorder.ts";
import { type Shape, shapes, sorted, sortedNext } from "./plans/shapes.ts";
import {
  type Api,
  type Backend,
  claimsFor,
  sign,
  startApi,
  startBackend,
  withClient,
} from "./support.ts";

// What each call costs is shown by the rows that its plan reads, and not by time.

type Client = Parameters<Parameters<typeof withClient>[1]>[0];

/** Alice has few tasks, Bob has a hundred times as many as most. */
const alice = { id: randomUUID(), tasks: 100 };
const bob = { id: randomUUID(), tasks: 5_000 };

const fill = `
  set session_replication_role = replica;
  insert into api.users (id) select md5('user ' || n)::uuid from generate_series(1, 2000) as n;
  insert into api.users (id) values ('${alice.id}'), ('${bob.id}');
  insert into api.tasks (user_id, title, completed)
  select
    case
      when n % 1000 = 1 then '${alice.id}'::uuid
      when n % 20 = 0 then '${bob.id}'
      else md5('user ' || 1 + n % 2000)::uuid
    end,
    case when n / 1000 % 100 = 0 then 'a needle ' else 'task ' end || n,
    n / 20 % 2 = 0
  from generate_series(1, 100000) as n;
  set session_replication_role = origin;
`;

let backend: Backend;
let api: Api;
let recorder: Recorder;
let taskOf: Record<string, string>;
const recorded = new Map<string, Map<string, Statement[]>>();

beforeAll(async () => {
  backend = await startBackend({}, fill);
  recorder = await startRecorder(backend.databaseUrl);
  api = await startApi(recorder.url);
  taskOf = {};
  for (const { id, tasks } of [alice, bob]) {
    const [row] = await backend.sql(
      "select id from api.tasks where user_id = $1 order by id offset $2 limit 1",
      [id, tasks / 2],
    );
    taskOf[id] = String(row?.id);
  }
  for (const shape of [...shapes, sorted, sortedNext]) {
    const statements = new Map<string, Statement[]>();
    for (const { id } of [alice, bob]) statements.set(id, await recordShape(shape, id));
    recorded.set(shape.name, statements);
  }
  await backend.sql("vacuum (analyze) api.tasks, api.users");
});
afterAll(async () => {
  await api.stop();
  recorder.stop();
  await backend.stop();
});

const connectAs = (id: string): Rowhouse =>
  createRowhouse({ url: api.url, token: sign(claimsFor(id)), retry: false });

const recordShape = ({ call }: Shape, id: string): Promise<Statement[]> =>
  recorder.record(() => call(connectAs(id), taskOf[id] ?? ""));

const modes: PlanMode[] = ["force_generic_plan", "force_custom_plan"];

/**
 * What is over the budgets of some shapes, for each user and each way of planning.
 *
 * @param prepare SQL that comes before, as superuser; it is taken back.
 */
async function findAll(some: readonly Shape[], prepare = ""): Promise<string[]> {
  return withClient(backend.databaseUrl, async (client) => {
    await client.query(`begin; delete from api.tasks where title = 'new'; ${prepare}`);
    const found: string[] = [];
    for (const shape of some) {
      for (const user of [alice, bob]) {
        for (const mode of modes) found.push(...(await findFor(client, shape, user, mode)));
      }
    }
    await client.query("rollback");
    return found;
  });
}

async function findFor(
  client: Client,
  shape: Shape,
  { id, tasks }: typeof alice,
  mode: PlanMode,
): Promise<string[]> {
  const other = id === alice.id ? bob.id : alice.id;
  const [own = [], theirs = []] = [id, other].map((user) => recorded.get(shape.name)?.get(user));
  expect(own).not.toEqual([]);
  // A call can send two requests at once: they come in either order.
  const texts = (statements: typeof own) => statements.map(({ text }) => text).toSorted();
  expect(texts(theirs)[0]).toBe(texts(own)[0]);
  const options = { mode, budget: shape.budget(tasks) };
  const found: string[] = [];
  for (const statement of own) {
    const run = { caller: id, statement };
    found.push(...(await findOverruns(client, [run], options)));
    const before = theirs.find(({ text }) => text === statement.text);
    if (mode !== "force_generic_plan" || before === undefined) continue;
    // PostgREST's connections keep the plan that was made for whoever came first.
    const runs = [{ caller: other, statement: before }, run];
    found.push(...(await findOverruns(client, runs, options)));
  }
  return found.map((text) => `${shape.name}, ${tasks} tasks, ${mode}: ${text}`);
}

describe("A user's call stays within its budget", () => {
  test.each(shapes.map((shape) => [shape.name, shape] as const))("%s", async (_, shape) => {
    expect(await findAll([shape])).toEqual([]);
  });
});

/** What a policy makes dearer first. */
const exposed = shapes.filter(({ name }) =>
  ["a list", "the next page", "a search", "a count", "one row", "a change"].includes(name),
);

/** Where rows are let through that lie apart, no index has them in order: what is seen is sorted. */
const seen: Shape[] = shapes
  .filter(({ name }) =>
    ["a list", "the next page", "a search", "a count", "one row"].includes(name),
  )
  .map((shape) => ({ ...shape, budget: (tasks) => ({ rows: 2 * (tasks + 100) }) }));

describe("Beside a restrictive policy", () => {
  const restrict = (condition: string) =>
    `create policy narrow on api.tasks as restrictive to authenticated using (${condition})`;

  test("that lets all through, each call stays within the same budget", async () => {
    expect(await findAll(exposed, restrict("true"))).toEqual([]);
  });

  // A generic plan that was made for a short list sorts a long one: see docs/performance.md.
  test("whose condition is not leakproof, it reads what is seen, and not the table", async () => {
    expect(await findAll(seen, restrict("char_length(title) > 0"))).toEqual([]);
  });

  test("it is over the budget where request.user_id() is not leakproof", async () => {
    const userId = `create or replace function request.user_id() returns uuid language sql stable as $$
      select (coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb ->> 'sub')::uuid
      $$`;
    const found = await findAll(exposed, `${restrict("true")}; ${userId}`);
    expect(found.join("\n")).toContain("a list, 5000 tasks, force_generic_plan: sorts 5000 rows");
  });
});

test("Policies that share rows beside the user's own read what is seen, and not the table", async () => {
  const policies = `
    alter table api.tasks add column shared_with uuid;
    grant select (shared_with) on api.tasks to authenticated;
    create index on api.tasks (shared_with, id);
    update api.tasks set shared_with = '${alice.id}' where user_id = md5('user 7')::uuid;
    update api.tasks set shared_with = '${bob.id}' where user_id = md5('user 8')::uuid;
    analyze api.tasks;
    create policy select_shared on api.tasks for select to authenticated
    using (shared_with = request.user_id());
    create policy select_of_user_9 on api.tasks for select to authenticated
    using (user_id = md5('user 9')::uuid)`;
  expect(await findAll(seen, policies)).toEqual([]);
});

test("A policy that asks for memberships reads what is shared, and not the table", async () => {
  // As `rowhouse db table <name> --shared` writes it.
  const policy = `
    create unique index on api.tasks (id);
    create table api.members (user_id uuid, group_id uuid, primary key (user_id, group_id));
    grant select on api.members to authenticated;
    insert into api.members
    select user_id, id from (
      select user_id, id, row_number() over (partition by user_id order by id) as at from api.tasks
    ) as numbered
    where at <= 10 or user_id = '${alice.id}' or user_id = '${bob.id}' and at <= 100;
    analyze api.members;
    drop policy select_own on api.tasks;
    create policy select_members on api.tasks for select to authenticated
    using (id = any (array(select group_id from api.members where user_id = (select request.user_id()))))`;
  expect(await findAll(seen, policy)).toEqual([]);
});

describe("A list in another order", () => {
  test.each([sorted, sortedNext])("is read by an index that has it: $name", async (shape) => {
    const index = "create index on api.tasks (user_id, title, id)";
    expect(await findAll([shape], index)).toEqual([]);
  });

  test("sorts all that a user has where there is none, which is over the budget", async () => {
    const found = await findAll([sorted]);
    for (const mode of modes)
      expect(found).toContain(`${sorted.name}, 5000 tasks, ${mode}: sorts 5000 rows`);
  });
});

describe("It is over the budget that", () => {
  const list = shapes.filter(({ name }) => name === "a list");

  test("a table has no index that begins with its owner", async () => {
    const found = await findAll(
      list,
      "alter table api.tasks drop constraint tasks_pkey; create unique index on api.tasks (id)",
    );
    expect(found.join("\n")).toMatch(/100 tasks, force_generic_plan: reads \d{4,} rows of tasks/);
  });

  test("a policy lets rows through that no index finds", async () => {
    const policy = `create policy select_notices on api.tasks for select to authenticated
      using (description = 'notice')`;
    expect((await findAll(list, policy)).join("\n")).toMatch(/reads \d{5,} rows of tasks/);
  });

  test("conditions of a policy cannot be estimated", async () => {
    const policy = `alter policy select_own on api.tasks using (
      user_id = request.user_id() and md5(title) = md5(title || '') and md5(title) = md5('' || title))`;
    expect((await findAll(list, policy)).join("\n")).toMatch(
      /estimates 1 rows of tasks and reads 5000/,
    );
  });
});
