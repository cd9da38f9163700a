import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withClient } from "../../src/stack/database.ts";
import { type Caller, caller, claimsFor, sign, signIn } from "../../src/testing/api.ts";
import { sharedTableSql } from "../support/shared-table.ts";
import { type Backend, full, newId, type Row, refusal, rowsOf, startBackend } from "./backend.ts";

let api: Backend;
let alice: Caller;
let bob: Caller;
let mallory: Caller;
/** Alice owns it, Bob is a member in the role of the test, and Mallory is none. */
let list: string;

beforeAll(async () => {
  api = await startBackend({}, sharedTableSql("lists"));
  [alice, bob, mallory] = [await signIn(api), await signIn(api), await signIn(api)];
});
afterAll(() => api.stop());
beforeEach(async () => {
  list = await addList(alice);
});

/** Creates a list and returns its id. */
async function addList(user: Caller, title = "a list"): Promise<string> {
  const answer = await user.ask("/lists", { method: "POST", headers: full, body: { title } });
  expect(answer).toMatchObject({ status: 201, body: [{ title }] });
  return String((answer.body as Row[])[0]?.id);
}

const add = (by: Caller, member: Caller, role?: string, group = list) =>
  by.ask("/lists_members", {
    method: "POST",
    body: { group_id: group, user_id: member.id, ...(role && { role }) },
  });
const memberPath = (member: Caller) => `/lists_members?group_id=eq.${list}&user_id=eq.${member.id}`;
const setRole = (by: Caller, member: Caller, role: string) =>
  by.ask(memberPath(member), { method: "PATCH", headers: full, body: { role } });
const remove = (by: Caller, member: Caller) =>
  by.ask(memberPath(member), { method: "DELETE", headers: full });
const rename = (by: Caller, headers = {}) =>
  by.ask(`/lists?id=eq.${list}`, {
    method: "PATCH",
    headers: { ...full, ...headers },
    body: { title: "renamed" },
  });
const membersSeen = async (by: Caller) =>
  (await rowsOf(by, `/lists_members?group_id=eq.${list}&order=role`)).map(({ user_id, role }) => ({
    user_id,
    role,
  }));

/** Runs SQL in a transaction like that of a request, which stays open meanwhile. */
async function inRequestOf(user: Caller, run: (session: pg.Client) => Promise<void>) {
  await withClient(api.databaseUrl, async (session) => {
    await session.query("begin");
    await session.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify(claimsFor(user.id)),
    ]);
    await session.query("set local role authenticated");
    await run(session);
  });
}

describe("Whoever creates a list", () => {
  test("owns it in the same request, and gets it back with its members", async () => {
    const [created] = await rowsOf(alice, `/lists?id=eq.${list}&select=*,lists_members(*)`);
    expect(created).toMatchObject({ lists_members: [{ user_id: alice.id, role: "owner" }] });
  });

  test("owns each of several lists", async () => {
    const body = [{ title: "one" }, { title: "two" }];
    const answer = await alice.ask("/lists", { method: "POST", headers: full, body });
    expect(answer).toMatchObject({ status: 201, body });
    for (const { id } of answer.body as Row[]) {
      expect(await rowsOf(alice, `/lists_members?group_id=eq.${id}`)).toHaveLength(1);
    }
  });

  test("learns from no answer whether there is a list with an id", async () => {
    const create = (id: string, resolution?: string) =>
      mallory.ask("/lists", {
        method: "POST",
        headers: {
          prefer: `return=representation${resolution ? `,resolution=${resolution}` : ""}`,
        },
        body: { id, title: "mine" },
      });
    for (const resolution of [undefined, "ignore-duplicates", "merge-duplicates"]) {
      const [hidden, missing] = [await create(list, resolution), await create(newId(), resolution)];
      expect(hidden).toMatchObject(refusal(403, "42501"));
      expect(hidden.body).toEqual(missing.body);
    }
    expect(await rowsOf(alice, `/lists?id=eq.${list}`)).toMatchObject([{ title: "a list" }]);
  });

  test("may be new, and becomes a user with it", async () => {
    const unknown = caller(api, sign(claimsFor(randomUUID())));
    const ask = { method: "POST", body: { title: "x" } };
    expect(await unknown.ask("/lists", ask)).toMatchObject({ status: 201 });
    expect(await rowsOf(unknown, "/users")).toHaveLength(1);
    expect(await caller(api).ask("/lists", ask)).toMatchObject(refusal(401, "42501"));
  });
});

describe("A user who is no member", () => {
  test("gets the answers of a list that does not exist", async () => {
    const answers = async (id: string) => {
      const paths = [`/lists?id=eq.${id}`, `/lists_members?group_id=eq.${id}`];
      const reads = paths.map((path) => mallory.ask(path));
      const deletes = paths.map((path) => mallory.ask(path, { method: "DELETE", headers: full }));
      const change = mallory.ask(paths[0] ?? "", {
        method: "PATCH",
        headers: { ...full, "if-match": "2001-01-01T00:00:00Z" },
        body: { title: "" },
      });
      const adding = ["owner", "viewer"].map((role) => add(mallory, mallory, role, id));
      const all = await Promise.all([...reads, ...deletes, change, ...adding]);
      return all.map(({ status, body }) => ({ status, body }));
    };
    const hidden = await answers(list);
    expect(hidden).toEqual(await answers(newId()));
    expect(hidden.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 403, 403]);
    expect(hidden.slice(0, 5).flatMap(({ body }) => body)).toEqual([]);
    expect(await rowsOf(alice, `/lists?id=eq.${list}`)).toHaveLength(1);
  });

  test("cannot ask the database about members: the function is not served", async () => {
    const answer = await mallory.ask(`/rpc/is_member_of_lists?group_id=${list}`);
    expect(answer.status).toBe(404);
  });
});

describe("A member", () => {
  test.each([
    ["viewer", 0, 0],
    ["editor", 1, 0],
    ["owner", 1, 1],
  ])(
    "with the role %s reads, changes %i and deletes %i of the list",
    async (role, changed, deleted) => {
      expect(await add(alice, bob, role)).toMatchObject({ status: 201 });
      expect(await rowsOf(bob, `/lists?id=eq.${list}`)).toHaveLength(1);
      expect(await membersSeen(bob)).toEqual(
        expect.arrayContaining([
          { user_id: alice.id, role: "owner" },
          { user_id: bob.id, role },
        ]),
      );
      expect((await rename(bob)).body).toHaveLength(changed);
      const path = `/lists?id=eq.${list}`;
      expect((await bob.ask(path, { method: "DELETE", headers: full })).body).toHaveLength(deleted);
      expect(await rowsOf(alice, path)).toHaveLength(1 - deleted);
      expect(await membersSeen(alice)).toHaveLength(deleted ? 0 : 2);
    },
  );

  test("is a viewer unless a role is given", async () => {
    await add(alice, bob);
    expect(await membersSeen(alice)).toContainEqual({ user_id: bob.id, role: "viewer" });
  });

  test.each(["viewer", "editor"])("with the role %s decides about no member", async (role) => {
    await add(alice, bob, role);
    expect(await add(bob, mallory)).toMatchObject(refusal(403, "42501"));
    expect(await setRole(bob, bob, "owner")).toMatchObject({ status: 200, body: [] });
    expect(await remove(bob, alice)).toMatchObject({ status: 200, body: [] });
  });

  test("leaves, and is no member from then on", async () => {
    await add(alice, bob, "editor");
    expect((await remove(bob, bob)).body).toHaveLength(1);
    expect(await rowsOf(bob, `/lists?id=eq.${list}`)).toEqual([]);
    expect(await membersSeen(bob)).toEqual([]);
    expect((await rename(bob)).body).toEqual([]);
  });

  test("who is removed is no member from then on", async () => {
    await add(alice, bob, "owner");
    expect((await remove(alice, bob)).body).toHaveLength(1);
    expect(await rowsOf(bob, `/lists?id=eq.${list}`)).toEqual([]);
    expect(await add(bob, bob, "owner")).toMatchObject(refusal(403, "42501"));
  });

  test("is added once; who is there stays as they are", async () => {
    await add(alice, bob, "editor");
    expect(await add(alice, bob)).toMatchObject(refusal(409, "23505"));
    const upsert = (resolution: string) =>
      alice.ask("/lists_members", {
        method: "POST",
        headers: { prefer: `resolution=${resolution}` },
        body: { group_id: list, user_id: bob.id, role: "viewer" },
      });
    expect(await upsert("ignore-duplicates")).toMatchObject({ status: 201 });
    expect(await upsert("merge-duplicates")).toMatchObject(refusal(403, "42501"));
    expect(await membersSeen(alice)).toContainEqual({ user_id: bob.id, role: "editor" });
  });
});

describe("The version of a row", () => {
  test("counts for the list and for its members, each on its own", async () => {
    await add(alice, bob);
    const stale = { "if-match": "2001-01-01T00:00:00Z" };
    expect(await rename(alice, stale)).toMatchObject({ status: 412 });
    const patch = { method: "PATCH", headers: stale, body: { role: "owner" } };
    expect(await alice.ask(memberPath(bob), patch)).toMatchObject({ status: 412 });
    const [{ updated_at } = {}] = (await rename(alice)).body as Row[];
    const current = { ...full, "if-match": String(updated_at) };
    const path = `/lists?id=eq.${list}`;
    expect((await alice.ask(path, { method: "DELETE", headers: current })).body).toHaveLength(1);
  });
});

describe("The last owner", () => {
  const refused = { status: 409, body: expect.objectContaining({ details: "last_owner" }) };

  test("neither leaves nor becomes less, until another member is owner", async () => {
    await add(alice, bob, "editor");
    expect(await remove(alice, alice)).toMatchObject(refused);
    expect(await setRole(alice, alice, "viewer")).toMatchObject(refused);
    expect((await setRole(alice, bob, "owner")).body).toHaveLength(1);
    expect((await setRole(alice, alice, "viewer")).body).toHaveLength(1);
    expect(await remove(bob, bob)).toMatchObject(refused);
  });

  test("is one of two who leave at once", async () => {
    await add(alice, bob, "owner");
    await inRequestOf(alice, async (session) => {
      const leave = "delete from api.lists_members where group_id = $1 and user_id = $2";
      await session.query(leave, [list, alice.id]);
      const leaving = remove(bob, bob);
      await expect.poll(waiting).toBe(1);
      await session.query("commit");
      expect(await leaving).toMatchObject(refused);
    });
    expect(await membersSeen(bob)).toEqual([{ user_id: bob.id, role: "owner" }]);
  });

  test("leaves the list to another member when the sign-in service ends the account", async () => {
    const leaver = await signIn(api);
    const [shared, alone] = [await addList(leaver), await addList(leaver)];
    await add(leaver, bob, "viewer", shared);
    const email = `${leaver.id}@example.com`;
    await api.sql("insert into identity.users (id, email) values ($1, $2)", [leaver.id, email]);
    await withClient(api.databaseUrl, async (session) => {
      await session.query("set role identity_service");
      await session.query("delete from identity.users where id = $1", [leaver.id]);
    });
    expect(await rowsOf(bob, `/lists_members?group_id=eq.${shared}`)).toMatchObject([
      { user_id: bob.id, role: "owner" },
    ]);
    const ids = await api.sql("select id from api.lists where id = any ($1)", [[shared, alone]]);
    expect(ids).toEqual([{ id: shared }]);
  });

  /** How many requests wait for a lock. */
  async function waiting(): Promise<number> {
    const rows = await api.sql(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length;
  }
});

/** A step of a plan that has run. */
interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

const listNodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(listNodes)];

test("A page of 10,000 lists with 20 members each reads its 50 in the order of the key, and no row of others", async () => {
  // Foreign keys are not checked for 200,000 members: it is the same data, and sooner.
  await api.sql(`
    set session_replication_role = replica;
    insert into api.lists (title) select 'of others' from generate_series(1, 10000);
    insert into api.lists_members (group_id, user_id, role)
    select list.id, case when list.number % 100 = 0 and member = 0 then $$${bob.id}$$ else gen_random_uuid() end, 'viewer'
    from (select id, row_number() over () as number from api.lists where title = 'of others') as list
    cross join generate_series(0, 19) as member;
    reset session_replication_role;
    analyze api.lists, api.lists_members`);
  await inRequestOf(bob, async (session) => {
    await session.query(
      "prepare page (bigint) as select * from api.lists order by id desc limit $1",
    );
    // PostgREST prepares its statements: each is planned once, whatever its limit is.
    for (const mode of ["force_custom_plan", "force_generic_plan"]) {
      await session.query(`set local plan_cache_mode = ${mode}`);
      const explain = "explain (analyze, timing off, format json) execute page (50)";
      const { rows } = await session.query(explain);
      const nodes = listNodes(rows[0]["QUERY PLAN"][0].Plan);
      const types = nodes.map((node) => node["Node Type"]);
      for (const type of ["Seq Scan", "Sort", "Incremental Sort"])
        expect(types).not.toContain(type);
      const read = (relation: string) =>
        Number(nodes.find((node) => node["Relation Name"] === relation)?.["Actual Rows"]);
      expect(read("lists"), mode).toBe(50);
      // Bob is a member of 100 of them, and of a few lists of the tests before.
      expect(read("lists_members"), mode).toBeLessThan(200);
      for (const node of nodes)
        expect(node["Rows Removed by Filter"] ?? 0, JSON.stringify(node)).toBe(0);
    }
  });
});
