import {
  type Ask,
  type Backend,
  type Caller,
  claimsFor,
  createRows,
  errorAnswer,
  newId,
  readRows,
  returnRows,
  sign,
  signIn,
  startBackend,
  waitFor,
  withClient,
} from "rowhouse/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRowhouse, type Rowhouse } from "../../client/index.ts";

/** A user, with the typed client and with plain requests. */
interface Person extends Caller {
  readonly db: Rowhouse;
}

let api: Backend;
let alice: Person;
let bob: Person;
let mallory: Person;
/** Alice owns it, Bob is its editor, and Mallory is no member. */
let list: string;

beforeAll(async () => {
  api = await startBackend();
  [alice, bob, mallory] = [await person(), await person(), await person()];
});
afterAll(() => api.stop());
beforeEach(async () => {
  list = (await alice.db.lists.create({ title: "Groceries" })).id;
  await join(bob, "editor");
});

async function person(): Promise<Person> {
  const caller = await signIn(api);
  const token = sign(claimsFor(caller.id));
  return { ...caller, db: createRowhouse({ url: api.url, token }) };
}

const invite = (role: string) => alice.db.rpc("invite_to_list", { list_id: list, role });

async function join(who: Person, role: string): Promise<void> {
  await who.db.rpc("join_list", { token: await invite(role) });
}

const key = ({ id }: Caller) => ({ group_id: list, user_id: id });
const roles = async (by: Person) =>
  Object.fromEntries(
    (await by.db.lists_members.list({ where: { group_id: list } })).items.map(
      ({ user_id, role }) => [user_id, role],
    ),
  );
const failure = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: unknown) => error,
  );

describe("Two people on one list", () => {
  test("see each other's items, and change them", async () => {
    const bread = await alice.db.list_items.create({ list_id: list, title: "Bread" });
    await bob.db.list_items.create({ list_id: list, title: "Milk" });
    await bob.db.list_items.update(bread, { completed: true });
    const { items } = await alice.db.list_items.list({
      where: { list_id: list },
      sort: [{ by: "title" }],
    });
    expect(items).toMatchObject([
      { title: "Bread", completed: true },
      { title: "Milk", completed: false },
    ]);
    const { items: lists } = await bob.db.lists.list({ where: { id: list } });
    expect(lists).toMatchObject([{ title: "Groceries" }]);
  });

  test("change an item at once: the second is told what it is now", async () => {
    const bread = await alice.db.list_items.create({ list_id: list, title: "Bread" });
    await bob.db.list_items.update(bread, { title: "Rye bread" });
    expect(
      await failure(
        alice.db.list_items.update(bread, { title: "White bread" }, { ifMatch: bread.updated_at }),
      ),
    ).toMatchObject({ name: "StaleError", current: { title: "Rye bread" } });
  });

  test("get a list with its items and members in one request", async () => {
    await alice.db.list_items.create({ list_id: list, title: "Bread" });
    const path = `/lists?id=eq.${list}&select=title,list_items(title),lists_members(role)&lists_members.order=role`;
    for (const who of [alice, bob]) {
      expect(await readRows(who, path)).toEqual([
        {
          title: "Groceries",
          list_items: [{ title: "Bread" }],
          lists_members: [{ role: "editor" }, { role: "owner" }],
        },
      ]);
    }
    expect(await readRows(mallory, path)).toEqual([]);
  });
});

describe("An invitation", () => {
  test("makes one person a member, in its role", async () => {
    const token = await invite("viewer");
    expect(await mallory.db.rpc("join_list", { token })).toBe(list);
    expect(await roles(mallory)).toMatchObject({ [mallory.id]: "viewer" });
    const used = { name: "NotFoundError", status: 404, details: "invitation_invalid" };
    expect(await failure((await person()).db.rpc("join_list", { token }))).toMatchObject(used);
  });

  test("makes one of two a member who use it at once", async () => {
    const token = await invite("viewer");
    const two = [await person(), await person()];
    const ask = (who: Person) => who.ask("/rpc/join_list", { method: "POST", body: { token } });
    const statuses = (await Promise.all(two.map(ask))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 404]);
    expect(Object.keys(await roles(alice))).toHaveLength(3);
  });

  test("is kept as a hash, seen by owners alone, and taken back by them", async () => {
    const token = await invite("viewer");
    const [{ text } = {}] = await api.sql(
      "select invited::text as text from api.lists_invitations as invited",
    );
    expect(text).not.toContain(token);
    expect((await bob.db.lists_invitations.list()).items).toEqual([]);
    const where = { list_id: list };
    const [invitation] = (await alice.db.lists_invitations.list({ where })).items;
    await alice.db.lists_invitations.delete({ list_id: list, id: String(invitation?.id) });
    expect(await failure(mallory.db.rpc("join_list", { token }))).toMatchObject({
      details: "invitation_invalid",
    });
  });

  test("of an owner who is removed brings them not back", async () => {
    await join(mallory, "owner");
    const token = await mallory.db.rpc("invite_to_list", { list_id: list, role: "owner" });
    await alice.db.lists_members.delete(key(mallory));
    expect(await failure(mallory.db.rpc("join_list", { token }))).toMatchObject({
      details: "invitation_invalid",
    });
    expect(await roles(mallory)).toEqual({});
  });

  test("that is made while another owner takes the role away ends with it", async () => {
    await join(mallory, "owner");
    await withClient(api.databaseUrl, (inviting) =>
      withClient(api.databaseUrl, async (demoting) => {
        for (const [client, { id }] of [
          [inviting, mallory],
          [demoting, alice],
        ] as const) {
          await client.query("begin");
          await client.query("select set_config('request.jwt.claims', $1, true)", [
            JSON.stringify(claimsFor(id)),
          ]);
          await client.query("set local role authenticated");
        }
        await inviting.query("select api.invite_to_list($1, 'owner')", [list]);
        const pids = await Promise.all(
          [inviting, demoting].map(
            async (client) => (await client.query("select pg_backend_pid() as pid")).rows[0].pid,
          ),
        );
        let done = false;
        const demotion = demoting
          .query(
            "update api.lists_members set role = 'viewer' where group_id = $1 and user_id = $2",
            [list, mallory.id],
          )
          .finally(() => {
            done = true;
          });
        await waitFor(
          async () => {
            const [row] = await api.sql("select $1 = any (pg_blocking_pids($2)) as waits", pids);
            return done || row?.waits === true || undefined;
          },
          20,
          20_000,
        );
        // Without the lock, the demotion is over before the invitation is there.
        if (done) await demoting.query("commit");
        await inviting.query("commit");
        await demotion;
        await demoting.query("commit");
      }),
    );
    expect(
      await api.sql("select from api.lists_invitations where invited_by = $1", [mallory.id]),
    ).toEqual([]);
  });

  test("of a new user makes their account, too", async () => {
    const token = sign(claimsFor(newId()));
    const db = createRowhouse({ url: api.url, token });
    expect(await db.rpc("join_list", { token: await invite("viewer") })).toBe(list);
    expect((await db.users.list()).items).toHaveLength(1);
  });
});

describe("The owner", () => {
  const lastOwner = { name: "ConflictError", status: 409, details: "last_owner" };

  test("hands over to a member, and is an editor then", async () => {
    await alice.db.rpc("hand_over_list", { list_id: list, to_member: bob.id });
    expect(await roles(bob)).toEqual({ [alice.id]: "editor", [bob.id]: "owner" });
    await alice.db.lists_members.delete(key(alice));
    expect(await roles(bob)).toEqual({ [bob.id]: "owner" });
  });

  test("who is the last neither leaves, nor becomes less, nor hands over to no member", async () => {
    const { lists_members: members } = alice.db;
    expect(await failure(members.delete(key(alice)))).toMatchObject(lastOwner);
    expect(await failure(members.update(key(alice), { role: "viewer" }))).toMatchObject(lastOwner);
    const handOver = alice.db.rpc("hand_over_list", { list_id: list, to_member: mallory.id });
    expect(await failure(handOver)).toMatchObject({ status: 404, details: "member_unknown" });
    expect(await roles(alice)).toMatchObject({ [alice.id]: "owner" });
  });

  test("deletes the list with all that is on it", async () => {
    await bob.db.list_items.create({ list_id: list, title: "Bread" });
    await invite("viewer");
    await alice.db.lists.delete(list);
    for (const table of ["list_items", "lists_invitations"]) {
      expect(await api.sql(`select from api.${table} where list_id = $1`, [list])).toEqual([]);
    }
  });
});

/** What may be tried with the id of a list, and the right answer to who is no member. */
interface Attempt {
  readonly name: string;
  /** The status, and the code of an error; without one, the answer is an empty list. */
  readonly right: readonly [status: number, code?: string];
  readonly ask: (id: string) => [path: string, ask: Ask];
}

const attempts: readonly Attempt[] = [
  {
    name: "create it",
    right: [403, "42501"],
    ask: (id) => ["/lists", { method: "POST", body: { id, title: "Mine" } }],
  },
  ...["ignore-duplicates", "merge-duplicates"].map(
    (resolution): Attempt => ({
      name: `create it with ${resolution}`,
      right: [403, "42501"],
      ask: (id) => [
        "/lists",
        {
          method: "POST",
          body: { id, title: "Mine" },
          headers: { prefer: `resolution=${resolution},return=representation` },
        },
      ],
    }),
  ),
  {
    name: "read it",
    right: [200],
    ask: (id) => [`/lists?id=eq.${id}`, { method: "GET" }],
  },
  {
    name: "change it",
    right: [200],
    ask: (id) => [
      `/lists?id=eq.${id}`,
      { method: "PATCH", body: { title: "" }, headers: returnRows },
    ],
  },
  {
    name: "change it by an old version",
    right: [200],
    ask: (id) => [
      `/lists?id=eq.${id}`,
      {
        method: "PATCH",
        body: { title: "x" },
        headers: { ...returnRows, "if-match": "2001-01-01T00:00:00Z" },
      },
    ],
  },
  {
    name: "delete it",
    right: [200],
    ask: (id) => [`/lists?id=eq.${id}`, { method: "DELETE", headers: returnRows }],
  },
  {
    name: "put an item on it",
    right: [403, "42501"],
    ask: (list_id) => ["/list_items", { method: "POST", body: { list_id, title: "Mine" } }],
  },
  {
    name: "find one of its items by a conflict",
    right: [403, "42501"],
    ask: (list_id) => [
      "/list_items?on_conflict=list_id,id",
      {
        method: "POST",
        body: { list_id, id: item, title: "Mine" },
        headers: { prefer: "resolution=ignore-duplicates,return=representation" },
      },
    ],
  },
  {
    name: "see its members",
    right: [200],
    ask: (id) => [`/lists_members?group_id=eq.${id}`, { method: "GET" }],
  },
  ...["viewer", "owner"].map(
    (role): Attempt => ({
      name: `become its ${role}`,
      right: [403, "42501"],
      ask: (group_id) => [
        "/lists_members",
        { method: "POST", body: { group_id, user_id: mallory.id, role } },
      ],
    }),
  ),
  {
    name: "add a member again",
    right: [403, "42501"],
    ask: (group_id) => [
      "/lists_members",
      {
        method: "POST",
        body: { group_id, user_id: alice.id, role: "owner" },
        headers: { prefer: "resolution=ignore-duplicates" },
      },
    ],
  },
  {
    name: "invite to it",
    right: [403, "42501"],
    ask: (list_id) => ["/rpc/invite_to_list", { method: "POST", body: { list_id } }],
  },
  {
    name: "put an invitation to it",
    right: [403, "42501"],
    ask: (list_id) => [
      "/lists_invitations",
      { method: "POST", body: { list_id, token_hash: "0".repeat(64) } },
    ],
  },
  {
    name: "see its invitations",
    right: [200],
    ask: (id) => [`/lists_invitations?list_id=eq.${id}`, { method: "GET" }],
  },
  {
    name: "hand it over",
    right: [404, "PT404"],
    ask: (list_id) => [
      "/rpc/hand_over_list",
      { method: "POST", body: { list_id, to_member: alice.id } },
    ],
  },
  {
    name: "ask who is a member",
    right: [404, "PGRST202"],
    ask: (group_id) => ["/rpc/is_member_of_lists", { method: "POST", body: { group_id } }],
  },
];

/** The id of an item that is on the hidden list. */
const item = newId();

describe("A user who is no member gets the same answer for a hidden list as for none, when they", () => {
  test.each(attempts)("$name", async ({ right: [status, code], ask }) => {
    await createRows(alice, "/list_items", { list_id: list, id: item, title: "Bread" });
    await invite("viewer");
    const answers = [];
    for (const id of [list, newId()]) {
      const { status, body } = await mallory.ask(...ask(id));
      // Messages repeat what was sent; they may hold nothing else.
      answers.push({ status, body: JSON.parse(JSON.stringify(body ?? null).replaceAll(id, "ID")) });
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject(
      code === undefined ? { status, body: [] } : errorAnswer(status, code),
    );
    expect(await roles(alice)).toEqual({ [alice.id]: "owner", [bob.id]: "editor" });
  });
});
