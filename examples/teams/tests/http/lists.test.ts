import {
  type Ask,
  type Backend,
  type Caller,
  caller,
  claimsFor,
  createRows,
  errorAnswer,
  newId,
  readRows,
  returnRows,
  sign,
  signIn,
  startBackend,
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
/** Alice owns it, Bob is its editor, and the others are no members. */
let list: string;
/** The members of another list. */
let owner: Person;
let editor: Person;
let viewer: Person;

beforeAll(async () => {
  api = await startBackend();
  [alice, bob, mallory] = [await person(), await person(), await person()];
  [owner, editor, viewer] = [await person(), await person(), await person()];
  const other = await owner.db.lists.create({ title: "Another list" });
  for (const [member, role] of [
    [editor, "editor"],
    [viewer, "viewer"],
  ] as const)
    await owner.db.lists_members.create({ group_id: other.id, user_id: member.id, role });
});
afterAll(() => api.stop());
beforeEach(async () => {
  list = (await alice.db.lists.create({ title: "Groceries" })).id;
  await join(bob, "editor");
});

async function person(): Promise<Person> {
  const user = await signIn(api);
  const token = sign(claimsFor(user.id));
  return { ...user, db: createRowhouse({ url: api.url, token }) };
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

  test("change an item at once: the second gets what it is now", async () => {
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
  readonly ask: (id: string, by: string) => [path: string, ask: Ask];
}

const refused = [403, "42501"] as const;
const nothing = [200] as const;
const get: Ask = { method: "GET" };
const post = (body: object, prefer = "return=representation"): Ask => ({
  method: "POST",
  body,
  headers: { prefer },
});
const patch = (body: object, headers = {}): Ask => ({
  method: "PATCH",
  body,
  headers: { ...returnRows, ...headers },
});
const remove: Ask = { method: "DELETE", headers: returnRows };
const stale = { "if-match": "2001-01-01T00:00:00Z" };
const hash = "0".repeat(64);

const attempts: readonly Attempt[] = [
  { name: "create it", right: refused, ask: (id) => ["/lists", post({ id, title: "Mine" })] },
  ...["ignore-duplicates", "merge-duplicates"].map(
    (resolution): Attempt => ({
      name: `create it with ${resolution}`,
      right: refused,
      ask: (id) => [
        "/lists",
        post({ id, title: "Mine" }, `resolution=${resolution},return=representation`),
      ],
    }),
  ),
  { name: "read it", right: nothing, ask: (id) => [`/lists?id=eq.${id}`, get] },
  {
    name: "count it",
    right: nothing,
    ask: (id) => [`/lists?id=eq.${id}`, { headers: { prefer: "count=exact" } }],
  },
  {
    name: "read it with all that is on it",
    right: nothing,
    ask: (id) => [`/lists?id=eq.${id}&select=*,list_items(*),lists_members(*)`, get],
  },
  {
    name: "change it",
    right: nothing,
    ask: (id) => [`/lists?id=eq.${id}`, patch({ title: "" })],
  },
  {
    name: "change it by an old version",
    right: nothing,
    ask: (id) => [`/lists?id=eq.${id}`, patch({ title: "x" }, stale)],
  },
  { name: "delete it", right: nothing, ask: (id) => [`/lists?id=eq.${id}`, remove] },
  {
    name: "read its items",
    right: nothing,
    ask: (id) => [`/list_items?list_id=eq.${id}`, get],
  },
  {
    name: "put an item on it",
    right: refused,
    ask: (list_id) => ["/list_items", post({ list_id, title: "Mine" })],
  },
  {
    name: "put an item on it that cannot be",
    right: refused,
    ask: (list_id) => ["/list_items", post({ list_id, title: "" })],
  },
  {
    name: "find one of its items by a conflict",
    right: refused,
    ask: (list_id) => [
      "/list_items?on_conflict=list_id,id",
      post(
        { list_id, id: item, title: "Mine" },
        "resolution=ignore-duplicates,return=representation",
      ),
    ],
  },
  {
    name: "change one of its items",
    right: nothing,
    ask: (id) => [`/list_items?list_id=eq.${id}&id=eq.${item}`, patch({ title: "" }, stale)],
  },
  {
    name: "delete its items",
    right: nothing,
    ask: (id) => [`/list_items?list_id=eq.${id}`, remove],
  },
  {
    name: "see its members",
    right: nothing,
    ask: (id) => [`/lists_members?group_id=eq.${id}`, get],
  },
  {
    name: "see whether its owner is a member",
    right: nothing,
    ask: (id) => [`/lists_members?group_id=eq.${id}&user_id=eq.${alice.id}&select=*,lists(*)`, get],
  },
  ...["viewer", "owner"].map(
    (role): Attempt => ({
      name: `become its ${role}`,
      right: refused,
      ask: (group_id, user_id) => ["/lists_members", post({ group_id, user_id, role })],
    }),
  ),
  {
    name: "add a member again",
    right: refused,
    ask: (group_id) => [
      "/lists_members",
      post({ group_id, user_id: alice.id, role: "owner" }, "resolution=ignore-duplicates"),
    ],
  },
  {
    name: "change the role of a member",
    right: nothing,
    ask: (id) => [`/lists_members?group_id=eq.${id}`, patch({ role: "none" }, stale)],
  },
  {
    name: "remove its owner",
    right: nothing,
    ask: (id) => [`/lists_members?group_id=eq.${id}&user_id=eq.${alice.id}`, remove],
  },
  {
    name: "leave it",
    right: nothing,
    ask: (id, by) => [`/lists_members?group_id=eq.${id}&user_id=eq.${by}`, remove],
  },
  {
    name: "invite to it",
    right: refused,
    ask: (list_id) => ["/rpc/invite_to_list", post({ list_id })],
  },
  {
    name: "invite to it in no role",
    right: refused,
    ask: (list_id) => ["/rpc/invite_to_list", post({ list_id, role: "none" })],
  },
  {
    name: "put an invitation to it",
    right: refused,
    ask: (list_id) => ["/lists_invitations", post({ list_id, token_hash: hash })],
  },
  {
    name: "see its invitations",
    right: nothing,
    ask: (id) => [`/lists_invitations?list_id=eq.${id}`, get],
  },
  {
    name: "take its invitations back",
    right: nothing,
    ask: (id) => [`/lists_invitations?list_id=eq.${id}`, remove],
  },
  {
    name: "join it by its id",
    right: [404, "PT404"],
    ask: (token) => ["/rpc/join_list", post({ token })],
  },
  {
    name: "hand it over",
    right: [404, "PT404"],
    ask: (list_id) => ["/rpc/hand_over_list", post({ list_id, to_member: alice.id })],
  },
  {
    name: "hand it over to themselves",
    right: [404, "PT404"],
    ask: (list_id, to_member) => ["/rpc/hand_over_list", post({ list_id, to_member })],
  },
  {
    name: "ask who is a member",
    right: [404, "PGRST202"],
    ask: (group_id) => ["/rpc/is_member_of_lists", post({ group_id })],
  },
];

/** The id of an item that is on the hidden list. */
const item = newId();

/** All of an answer that could tell something; messages may repeat what was sent, and nothing else. */
async function tellingAnswer(who: Caller, [path, ask]: [string, Ask], sent: string) {
  const { status, headers, body } = await who.ask(path, ask);
  const telling = [...headers].filter(([name]) => name !== "date" && name !== "x-request-id");
  return JSON.parse(
    JSON.stringify({ status, headers: telling, body: body ?? null }).replaceAll(sent, "SENT"),
  );
}

describe("The answers for a hidden list are those for none, whatever is tried by", () => {
  const rightAnswer = ([status, code]: Attempt["right"]) =>
    code === undefined ? { status, body: [] } : errorAnswer(status, code);

  test.each([
    ["a non-member", () => mallory],
    ["a viewer of another list", () => viewer],
    ["an editor of another list", () => editor],
    ["an owner of another list", () => owner],
    ["anonymous", () => caller(api)],
  ])("%s", async (name, find) => {
    const who = find();
    await createRows(alice, "/list_items", { list_id: list, id: item, title: "Bread" });
    await invite("viewer");
    for (const { name: attempt, right, ask } of attempts) {
      const missing = newId();
      const hidden = await tellingAnswer(who, ask(list, who.id), list);
      expect(hidden, attempt).toEqual(await tellingAnswer(who, ask(missing, who.id), missing));
      const isServed = right[1] !== "PGRST202";
      expect(hidden, attempt).toMatchObject(
        rightAnswer(name === "anonymous" && isServed ? [401, "42501"] : right),
      );
    }
    expect(await roles(alice)).toEqual({ [alice.id]: "owner", [bob.id]: "editor" });
    expect((await alice.db.list_items.list({ where: { list_id: list } })).items).toHaveLength(1);
    expect(
      (await alice.db.lists_invitations.list({ where: { list_id: list } })).items,
    ).toHaveLength(1);
  });
});

/** What may be tried with the id of a user, by who does not decide about members. */
const lookups: readonly Attempt[] = [
  { name: "read them", right: nothing, ask: (id) => [`/users?id=eq.${id}`, get] },
  {
    name: "read what they share",
    right: nothing,
    ask: (id) => [`/lists_members?user_id=eq.${id}&select=*,lists(*)`, get],
  },
  {
    name: "add them",
    right: refused,
    ask: (user_id) => ["/lists_members", post({ group_id: list, user_id })],
  },
  {
    name: "add them if they are no members",
    right: refused,
    ask: (user_id) => [
      "/lists_members",
      post({ group_id: list, user_id }, "resolution=ignore-duplicates"),
    ],
  },
  {
    name: "remove them",
    right: nothing,
    ask: (id) => [`/lists_members?user_id=eq.${id}`, remove],
  },
  {
    name: "hand over to them",
    right: [404, "PT404"],
    ask: (to_member) => ["/rpc/hand_over_list", post({ list_id: list, to_member })],
  },
];

describe("The answers for a user are those for none, whatever is tried by", () => {
  test.each([
    ["a non-member", "none"],
    ["a viewer", "viewer"],
    ["an editor", "editor"],
  ])("%s", async (_, role) => {
    const who = await person();
    if (role !== "none") await join(who, role);
    // Of a list that the caller is no member of.
    const hidden = role === "none" ? alice : owner;
    for (const {
      name,
      right: [status, code],
      ask,
    } of lookups) {
      const missing = newId();
      const found = await tellingAnswer(who, ask(hidden.id, who.id), hidden.id);
      expect(found, name).toEqual(await tellingAnswer(who, ask(missing, who.id), missing));
      expect(found, name).toMatchObject(
        code === undefined ? { status, body: [] } : errorAnswer(status, code),
      );
    }
  });
});
