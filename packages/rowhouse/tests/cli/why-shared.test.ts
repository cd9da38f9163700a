import { beforeAll, describe, expect, test } from "vitest";
import { readAccess, type Verb } from "../../src/access/model/model.ts";
import { readRules, rehearse } from "../../src/access/rehearse/rehearse.ts";
import { explain } from "../../src/access/why/explain.ts";
import { ask as askIn, why } from "../../src/access/why/why.ts";
import { withClient } from "../../src/stack/database.ts";
import { cloneDatabase } from "../../src/testing/database.ts";
import { alice, bob, people } from "../support/people.ts";
import { sharedTableSql } from "../support/shared-table.ts";

// What the tool reports of rows that several users share: Alice owns the list, Bob is its viewer, and
// Carol a member of none.

const carol = "ca401000-0000-4000-8000-000000000000";
const list = "00000000-0000-7000-8000-000000000001";
const item = "00000000-0000-7000-8000-000000000002";

const items = `
  create table api.items (
    list_id uuid references api.lists,
    id uuid,
    made_by uuid references api.users,
    primary key (list_id, id)
  );
  alter table api.items enable row level security;
  grant select, delete on api.items to authenticated;
  create policy select_members on api.items for select to authenticated using (
    list_id = any (array(select group_id from api.lists_members where user_id = (select request.user_id())))
  );
  create policy delete_editors on api.items for delete to authenticated
  using (request.is_member_of_lists(list_id, 'editor'));`;

let url: string;
beforeAll(async () => {
  url = await cloneDatabase();
  await withClient(url, (client) =>
    client.query(`${people}; ${sharedTableSql("lists")}; ${items};
      insert into api.users (id, email) values ('${carol}', 'carol@example.com');
      insert into api.lists (id, title) values ('${list}', 'Groceries');
      insert into api.lists_members (group_id, user_id, role)
      values ('${list}', '${alice}', 'owner'), ('${list}', '${bob}', 'viewer');
      insert into api.items values ('${list}', '${item}', '${alice}')`),
  );
});

const ask = (as: string, verb: Verb, table: string, id: string) =>
  why(url, { as, verb, table, id, owner: null, row: null });

test.each<[as: string, verb: Verb, table: string, id: string, verdict: string, line: string]>([
  [
    bob,
    "select",
    "lists",
    list,
    "yes",
    `member: api.lists_members has group_id ${list}, user_id ${bob}, role viewer`,
  ],
  [
    bob,
    "update",
    "lists",
    list,
    "no",
    `member: api.lists_members has group_id ${list}, user_id ${bob}, role viewer`,
  ],
  [
    alice,
    "delete",
    "items",
    item,
    "yes",
    `member: api.lists_members has group_id ${list}, user_id ${alice}, role owner`,
  ],
  [
    carol,
    "select",
    "items",
    item,
    "no",
    `no member: api.lists_members has no row with group_id ${list} and user_id ${carol}`,
  ],
])(
  "why %s may %s %s names the row that makes them a member, or that there is none",
  async (as, verb, table, id, verdict, line) => {
    const answer = await ask(as, verb, table, id);
    expect(answer.rows).toMatchObject([{ verdict, memberships: [{ table: "api.lists_members" }] }]);
    expect(explain(answer, false)).toContain(`  ${line}`);
  },
);

test("why finds a member by a sub in capitals, also in claims alone", async () => {
  const claims = { sub: bob.toUpperCase(), role: "authenticated" };
  const answer = await why(url, {
    claims,
    verb: "select",
    table: "lists",
    id: list,
    owner: null,
    row: null,
  });
  expect(answer.rows).toMatchObject([{ memberships: [{ row: { role: "viewer" } }] }]);
});

test("why finds the member of a group whose key no JSON number holds", async () => {
  const large = "9007199254740993";
  await withClient(url, (client) =>
    client.query(`
      create table api.clubs (id bigint primary key);
      create table api.clubs_members (
        club_id bigint references api.clubs,
        user_id uuid references api.users,
        primary key (club_id, user_id)
      );
      alter table api.clubs enable row level security;
      grant select on api.clubs, api.clubs_members to authenticated;
      create policy select_members on api.clubs for select to authenticated using (
        id in (select club_id from api.clubs_members where user_id = request.user_id())
      );
      insert into api.clubs values (${large});
      insert into api.clubs_members values (${large}, '${bob}')`),
  );
  const answer = await ask(bob, "select", "clubs", large);
  expect(answer.rows).toMatchObject([{ memberships: [{ key: { club_id: large }, row: {} }] }]);
});

test("why names the membership for each member that a member sees", async () => {
  const row = { group_id: list, user_id: carol, role: "editor" };
  const answer = await why(url, {
    as: bob,
    verb: "insert",
    table: "lists_members",
    id: null,
    owner: null,
    row,
  });
  expect(answer.rows).toMatchObject([
    {
      verdict: "no",
      memberships: [{ key: { group_id: list, user_id: bob }, row: { role: "viewer" } }],
    },
  ]);
});

test("why says nothing of memberships where no policy asks for one, and of any row", async () => {
  expect((await ask(alice, "select", "users", alice)).rows).toMatchObject([{ memberships: [] }]);
  const any = await why(url, {
    as: bob,
    verb: "select",
    table: "lists",
    id: null,
    owner: null,
    row: null,
  });
  expect(any.rows).toMatchObject([{ memberships: [] }]);
});

describe("why takes for a membership", () => {
  const [paper, loose, board, above] = [11, 12, 13, 14].map(
    (number) => `00000000-0000-7000-8000-0000000000${number}`,
  ) as [string, string, string, string];
  const keysOf = (answer: Pick<Awaited<ReturnType<typeof why>>, "rows">) =>
    answer.rows.map(({ memberships }) => memberships.map(({ key }) => key));

  beforeAll(() =>
    withClient(url, (client) =>
      client.query(`
        create table api.tags (id uuid primary key);
        create table api.list_tags (
          list_id uuid references api.lists,
          tag_id uuid references api.tags,
          primary key (list_id, tag_id)
        );
        create table api.list_visits (
          list_id uuid references api.lists,
          user_id uuid references api.users,
          day date,
          primary key (list_id, user_id, day)
        );
        create table api.list_stars (
          list_id uuid references api.lists,
          user_id uuid references api.users,
          number integer,
          primary key (user_id, number)
        );
        create table api.friends (
          user_id uuid references api.users,
          friend_id uuid references api.users,
          primary key (user_id, friend_id)
        );
        create table api.papers (
          id uuid primary key,
          list_id uuid references api.lists,
          made_by uuid references api.users
        );
        create table api.boards (id uuid primary key, above uuid references api.boards);
        create table api.boards_members (
          board_id uuid references api.boards,
          user_id uuid references api.users,
          primary key (board_id, user_id)
        );
        alter table api.papers enable row level security;
        alter table api.boards enable row level security;
        grant select on all tables in schema api to authenticated;
        grant insert on api.papers to authenticated;
        create policy select_members on api.papers for select to authenticated using (
          request.is_member_of_lists(list_id)
          or exists (select from api.list_tags as tag where tag.list_id = papers.list_id)
          or exists (select from api.list_visits as visit where visit.list_id = papers.list_id)
          or exists (select from api.list_stars as star where star.list_id = papers.list_id)
          or exists (select from api.friends where friend_id = papers.made_by)
        );
        create policy insert_own on api.papers for insert to authenticated
        with check (made_by = request.user_id());
        create policy select_members on api.boards for select to authenticated using (
          id in (select board_id from api.boards_members where user_id = request.user_id())
        );
        insert into api.papers values ('${paper}', '${list}', '${alice}'), ('${loose}', null, '${alice}');
        insert into api.boards values ('${above}', null), ('${board}', '${above}');`),
    ),
  );

  test("what a function of the policy reads, and no other table that the policy does", async () => {
    expect(keysOf(await ask(bob, "select", "papers", paper))).toEqual([
      [{ group_id: list, user_id: bob }],
    ]);
  });

  test("nothing where the row is of no group", async () => {
    expect(keysOf(await ask(bob, "select", "papers", loose))).toEqual([[]]);
  });

  test("nothing that only the policies of another command ask for", async () => {
    const question = { as: bob, verb: "insert", table: "papers", id: null, owner: null } as const;
    const row = { id: loose, list_id: list, made_by: bob };
    expect(keysOf(await why(url, { ...question, row }))).toEqual([[]]);
  });

  test("that of the row itself, and not of another that it refers to", async () => {
    expect(keysOf(await ask(bob, "select", "boards", board))).toEqual([
      [{ board_id: board, user_id: bob }],
    ]);
  });

  test.each([
    ["may not read", "alter table api.lists_members disable row level security"],
    ["does not see the rows of", "grant select on api.lists_members to rowhouse_test_reader"],
  ])("no table that the connection %s", async (_, change) => {
    const answer = await withClient(url, async (client) => {
      await client.query("begin");
      const model = await readAccess(client);
      await client.query(`
        create role rowhouse_test_reader;
        grant usage on schema api, request to rowhouse_test_reader;
        grant execute on all functions in schema request to rowhouse_test_reader;
        grant select on api.users to rowhouse_test_reader;
        alter table api.users disable row level security;
        alter table api.lists owner to rowhouse_test_reader;
        alter table api.lists no force row level security;
        ${change};
        set session authorization rowhouse_test_reader`);
      return askIn(client, model, {
        as: bob,
        verb: "select",
        table: "lists",
        id: list,
        owner: null,
        row: null,
      });
    });
    expect(keysOf(answer)).toEqual([[]]);
  });
});

/** Rehearses a change of the rules. */
async function rehearsal(sql: string) {
  const rules = await withClient(url, async (client) => {
    await client.query(`begin; ${sql}`);
    return readRules(client);
  });
  return rehearse(url, rules, { as: [], users: 50, examples: 3, timeout: 30 });
}

test("rehearse says who gains members when their policy opens, and that it cannot tell of the lists", async () => {
  const open = "alter policy select_members on api.lists_members using (true)";
  const { changes, gains, unclear } = await rehearsal(open);
  expect({ gains, unclear }).toEqual({ gains: true, unclear: true });
  const change = (table: string) =>
    changes.find((one) => one.table === table && one.action === "select");
  const gained = change("lists_members")?.effects.find(({ userId }) => userId === carol);
  expect(gained).toMatchObject({ gained: 2 });
  expect(change("lists")?.obstacle).toContain("api.lists_members itself changes");
});

test("rehearse says which member gains rows when a policy asks for a lesser role", async () => {
  const lesser =
    "alter policy delete_editors on api.items using (request.is_member_of_lists(list_id))";
  const { changes, gains, unclear } = await rehearsal(lesser);
  expect({ gains, unclear }).toEqual({ gains: true, unclear: false });
  expect(changes.map(({ table, action }) => `${action} ${table}`)).toEqual(["delete items"]);
  const gaining = changes.flatMap(({ effects }) => effects.filter(({ gained }) => gained > 0));
  expect(gaining).toMatchObject([{ userId: bob, gained: 1 }]);
});
