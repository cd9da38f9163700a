import {
  type Backend,
  type Caller,
  claimsFor,
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
import { createRowhouse } from "../../client/index.ts";

// What several people do to one list at the same time, each in a transaction of their own that is held open.
// The locks are taken in one order: lists by their ids, then members by theirs, invitations, and the list's
// advisory lock last. So none of this ends in a deadlock.

let api: Backend;
let alice: Caller;
let bob: Caller;
let carol: Caller;
/** Alice and Bob own it, Carol is its editor. Alice's row comes before Bob's, by its key and in the table. */
let list: string;

beforeAll(async () => {
  api = await startBackend();
  const ids = [newId(), newId(), newId()].sort();
  [alice, bob, carol] = (await Promise.all(ids.map((id) => signIn(api, id)))) as [
    Caller,
    Caller,
    Caller,
  ];
});
afterAll(() => api.stop());
beforeEach(async () => {
  list = await makeList();
});

async function makeOwner(group: string, id: string): Promise<void> {
  await api.sql(
    `insert into api.lists_members (group_id, user_id, role) values ($1, $2, 'owner')
     on conflict (group_id, user_id) do update set role = 'owner'`,
    [group, id],
  );
}

/** Makes a list of Alice, with Bob as another owner. Their accounts may have ended in the test before. */
async function makeList(): Promise<string> {
  await api.sql(
    "insert into api.users (id) select unnest($1::uuid[]) on conflict (id) do nothing",
    [[alice.id, bob.id, carol.id]],
  );
  const [{ id } = {}] = await api.sql("insert into api.lists (title) values ('Ours') returning id");
  await api.sql(
    `insert into api.lists_members (group_id, user_id, role)
     values ($1, $2, 'owner'), ($1, $3, 'owner'), ($1, $4, 'editor')`,
    [id, alice.id, bob.id, carol.id],
  );
  return String(id);
}

/** The roles of the members, by their names. */
async function roles(of = list): Promise<Record<string, unknown>> {
  const rows = await api.sql("select user_id, role from api.lists_members where group_id = $1", [
    of,
  ]);
  const name = (id: unknown) =>
    Object.entries({ alice, bob, carol }).find(([, caller]) => caller.id === id)?.[0] ?? "another";
  return Object.fromEntries(rows.map(({ user_id, role }) => [name(user_id), role]));
}

/** A transaction like that of a request, which stays open until it is committed. */
interface Session {
  /**
   * Sends a statement, and goes on once it is done, or waits for another session.
   *
   * @returns Whether it waits, and how it ends: "done", or the code of its error.
   */
  readonly start: (sql: string, ...values: unknown[]) => Promise<Started>;
  readonly commit: () => Promise<unknown>;
}

interface Started {
  readonly waits: boolean;
  readonly end: Promise<string>;
}

/** Opens one session for each caller; null is the operator, to whom no policy applies. */
async function inSessions(
  callers: readonly (Caller | null)[],
  run: (...sessions: Session[]) => Promise<void>,
): Promise<void> {
  const [first, ...rest] = callers;
  if (first === undefined) return run();
  await withClient(api.databaseUrl, async (client) => {
    await client.query("begin");
    if (first !== null) {
      const claims = JSON.stringify(claimsFor(first.id));
      await client.query("select set_config('request.jwt.claims', $1, true)", [claims]);
      await client.query("set local role authenticated");
    }
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const session: Session = {
      start: async (sql, ...values) => {
        let isOver = false;
        const end = client
          .query(sql, values)
          .then(
            () => "done",
            ({ code, detail }) => (/^PT/.test(code) ? detail : code),
          )
          .finally(() => {
            isOver = true;
          });
        await waitFor(
          async () => isOver || (await isBlocked(rows[0]?.pid)) || undefined,
          10,
          20_000,
        );
        return { waits: !isOver, end };
      },
      commit: () => client.query("commit"),
    };
    await inSessions(rest, (...others) => run(session, ...others));
  });
}

async function isBlocked(pid: number | undefined): Promise<boolean> {
  const [row] = await api.sql("select cardinality(pg_blocking_pids($1)) > 0 as blocked", [pid]);
  return row?.blocked === true;
}

const leave = (session: Session, { id }: Caller, from = list) =>
  session.start("delete from api.lists_members where group_id = $1 and user_id = $2", from, id);
const demote = (session: Session, { id }: Caller) =>
  session.start(
    "update api.lists_members set role = 'viewer' where group_id = $1 and user_id = $2",
    list,
    id,
  );
const handOver = (session: Session, { id }: Caller) =>
  session.start("select api.hand_over_list($1, $2)", list, id);
const join = (session: Session, token: unknown) => session.start("select api.join_list($1)", token);
const deleteList = (session: Session) => session.start("delete from api.lists where id = $1", list);
/** Holds the row of a member, so that who needs it waits in the middle of what they do. */
const hold = (session: Session, { id }: Caller) =>
  session.start(
    "select from api.lists_members where group_id = $1 and user_id = $2 for update",
    list,
    id,
  );

/** As the sign-in service does it, outside of requests. */
const endAccount = (session: Session, { id }: Caller) =>
  session.start("delete from api.users where id = $1", id);

async function invite(by: Caller): Promise<unknown> {
  const body = { list_id: list, role: "viewer" };
  return (await by.ask("/rpc/invite_to_list", { method: "POST", body })).body;
}

describe("Two owners", () => {
  test.each([
    ["leave", leave, { bob: "owner", carol: "editor" }],
    ["give up their role", demote, { alice: "viewer", bob: "owner", carol: "editor" }],
  ])("who %s at once: one stays", async (_, giveUp, left) => {
    await inSessions([alice, bob], async (first, second) => {
      expect(await giveUp(first, alice)).toMatchObject({ waits: false });
      const later = await giveUp(second, bob);
      expect(later.waits).toBe(true);
      await first.commit();
      expect(await later.end).toBe("last_owner");
    });
    expect(await roles()).toEqual(left);
  });

  test("who leave two lists at once both do, in whatever order these stand in the table", async () => {
    const other = String(
      (await api.sql("insert into api.lists (title) values ('Other') returning id"))[0]?.id,
    );
    const dora = await signIn(api);
    await makeOwner(list, carol.id);
    // Alice's row of the first list comes before hers of the other, and Bob's after his.
    for (const [group, { id }] of [
      [other, bob],
      [other, alice],
      [other, carol],
      [list, dora],
    ] as const)
      await makeOwner(group, id);
    await api.sql("delete from api.lists_members where group_id = $1 and user_id = $2", [
      list,
      bob.id,
    ]);
    await makeOwner(list, bob.id);
    await inSessions([dora, alice, bob], async (...sessions) => {
      const [holder, first, second] = sessions as [Session, Session, Session];
      for (const session of [first, second])
        await session.start("set local enable_indexscan = off; set local enable_bitmapscan = off");
      expect(await leave(holder, dora)).toMatchObject({ waits: false });
      const leaveBoth = (session: Session, { id }: Caller) =>
        session.start(
          "delete from api.lists_members where user_id = $1 and group_id in ($2, $3)",
          id,
          list,
          other,
        );
      const [one, two] = [await leaveBoth(first, alice), await leaveBoth(second, bob)];
      expect([one.waits, two.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await one.end).toBe("done");
      await first.commit();
      expect(await two.end).toBe("done");
      await second.commit();
    });
    expect(await roles(other)).toEqual({ carol: "owner" });
  });

  test("who hand over to each other at once both do, whatever plan each gets", async () => {
    // By the key Alice's row comes before Bob's, in the table after his.
    await api.sql("delete from api.lists_members where group_id = $1 and user_id = $2", [
      list,
      alice.id,
    ]);
    await makeOwner(list, alice.id);
    await inSessions([null, alice, bob], async (holder, first, second) => {
      await first.start("set local enable_indexscan = off; set local enable_bitmapscan = off");
      await second.start("set local enable_seqscan = off; set local enable_bitmapscan = off");
      await hold(holder, alice);
      const toAlice = await handOver(second, alice);
      const toBob = await handOver(first, bob);
      expect([toAlice.waits, toBob.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await toAlice.end).toBe("done");
      await second.commit();
      expect(await toBob.end).toBe("done");
      await first.commit();
    });
    expect(await roles()).toEqual({ alice: "editor", bob: "owner", carol: "editor" });
  });
});

describe("An owner", () => {
  test("who hands over twice at once does so once", async () => {
    await inSessions([alice, alice], async (first, second) => {
      expect(await handOver(first, bob)).toMatchObject({ waits: false });
      const later = await handOver(second, carol);
      expect(later.waits).toBe(true);
      await first.commit();
      expect(await later.end).toBe("member_unknown");
    });
    expect(await roles()).toEqual({ alice: "editor", bob: "owner", carol: "editor" });
  });

  test("hands over to no one who leaves first", async () => {
    await inSessions([alice, bob], async (handing, leaving) => {
      await leave(leaving, bob);
      const later = await handOver(handing, bob);
      expect(later.waits).toBe(true);
      await leaving.commit();
      expect(await later.end).toBe("member_unknown");
    });
    expect(await roles()).toEqual({ alice: "owner", carol: "editor" });
  });

  test("to whom a list is handed over meanwhile does not leave it, also while it is renamed", async () => {
    await inSessions([carol, alice, bob], async (renaming, handing, leaving) => {
      await renaming.start("update api.lists set title = 'Renamed' where id = $1", list);
      const handed = await handOver(handing, bob);
      const left = await leave(leaving, bob);
      expect([handed.waits, left.waits]).toEqual([false, true]);
      await renaming.commit();
      await handing.commit();
      expect(await left.end).toBe("last_owner");
    });
    expect(await roles()).toEqual({ alice: "editor", bob: "owner", carol: "editor" });
  });

  test("leaves while another deletes the list", async () => {
    await inSessions([null, alice, bob], async (holder, deleting, leaving) => {
      await hold(holder, alice);
      const deleted = await deleteList(deleting);
      expect(deleted.waits).toBe(true);
      expect(await leave(leaving, bob)).toMatchObject({ waits: false });
      await leaving.commit();
      await holder.commit();
      expect(await deleted.end).toBe("done");
      await deleting.commit();
    });
    expect(await roles()).toEqual({});
  });

  test("removes themselves and another in one request, where a third one stays", async () => {
    await makeOwner(list, (await signIn(api)).id);
    const path = `/lists_members?group_id=eq.${list}`;
    const remove = { method: "DELETE", headers: returnRows };
    const both = await alice.ask(`${path}&user_id=in.(${alice.id},${bob.id})`, remove);
    expect(both).toMatchObject({ status: 200, body: [{ role: "owner" }, { role: "owner" }] });
    expect(await roles()).toEqual({ carol: "editor", another: "owner" });
  });

  test("does not remove all members, nor all owners, in one request", async () => {
    for (const filter of ["", "&role=eq.owner"]) {
      const path = `/lists_members?group_id=eq.${list}${filter}`;
      const body = expect.objectContaining({ details: "last_owner" });
      expect(await alice.ask(path, { method: "DELETE" })).toMatchObject({ status: 409, body });
    }
    expect(await readRows(bob, `/lists_members?group_id=eq.${list}`)).toHaveLength(3);
  });
});

describe("An invitation", () => {
  test("that is accepted first counts, though its inviter is removed meanwhile", async () => {
    const dora = await signIn(api);
    const token = await invite(bob);
    await inSessions([dora, alice], async (joining, removing) => {
      expect(await join(joining, token)).toMatchObject({ waits: false });
      const removed = await leave(removing, bob);
      expect(removed.waits).toBe(true);
      await joining.commit();
      expect(await removed.end).toBe("done");
      await removing.commit();
    });
    expect(await roles()).toEqual({ alice: "owner", carol: "editor", another: "viewer" });
  });

  test.each([["leave"], ["demote"]])(
    "does not count once its inviter is gone (%s), though it was read before",
    async (how) => {
      const dora = await signIn(api);
      const token = await invite(bob);
      await inSessions([dora, alice], async (joining, removing) => {
        expect(await (how === "leave" ? leave : demote)(removing, bob)).toMatchObject({
          waits: false,
        });
        const joined = await join(joining, token);
        expect(joined.waits).toBe(true);
        await removing.commit();
        expect(await joined.end).toBe("invitation_invalid");
      });
      expect(await roles()).not.toHaveProperty("another");
    },
  );

  test("does not count once the list is deleted, and the two do not deadlock", async () => {
    const dora = await signIn(api);
    const token = await invite(alice);
    await inSessions([null, alice, dora], async (holder, deleting, joining) => {
      await hold(holder, bob);
      const deleted = await deleteList(deleting);
      const joined = await join(joining, token);
      expect([deleted.waits, joined.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await deleted.end).toBe("done");
      await deleting.commit();
      expect(await joined.end).toBe("invitation_invalid");
    });
    expect(await roles()).toEqual({});
  });

  test("is accepted before the list is deleted: the new member goes with it", async () => {
    const dora = await signIn(api);
    const token = await invite(alice);
    await inSessions([alice, dora], async (deleting, joining) => {
      expect(await join(joining, token)).toMatchObject({ waits: false });
      const deleted = await deleteList(deleting);
      expect(deleted.waits).toBe(true);
      await joining.commit();
      expect(await deleted.end).toBe("done");
      await deleting.commit();
    });
    expect(await roles()).toEqual({});
  });

  test("that is made while another owner takes the role away ends with it", async () => {
    await inSessions([bob, alice], async (inviting, demoting) => {
      await inviting.start("select api.invite_to_list($1, 'owner')", list);
      const demoted = await demote(demoting, bob);
      expect(demoted.waits).toBe(true);
      await inviting.commit();
      expect(await demoted.end).toBe("done");
      await demoting.commit();
    });
    expect(await api.sql("select from api.lists_invitations where list_id = $1", [list])).toEqual(
      [],
    );
  });

  test("cannot be made by who loses the role meanwhile", async () => {
    await inSessions([bob, alice], async (inviting, demoting) => {
      await demote(demoting, bob);
      const invited = await inviting.start("select api.invite_to_list($1, 'owner')", list);
      expect(invited.waits).toBe(true);
      await demoting.commit();
      expect(await invited.end).toBe("42501");
    });
    expect(await api.sql("select from api.lists_invitations where list_id = $1", [list])).toEqual(
      [],
    );
  });
});

describe("The end of an account", () => {
  const setRole = ({ id }: Caller, role: string) =>
    api.sql("update api.lists_members set role = $3 where group_id = $1 and user_id = $2", [
      list,
      id,
      role,
    ]);
  const remove = (...callers: Caller[]) =>
    api.sql("delete from api.lists_members where group_id = $1 and user_id = any ($2)", [
      list,
      callers.map(({ id }) => id),
    ]);

  test("of two owners at once passes the list to the member who stays", async () => {
    await inSessions([null, null], async (first, second) => {
      expect(await endAccount(first, alice)).toMatchObject({ waits: false });
      const later = await endAccount(second, bob);
      expect(later.waits).toBe(true);
      await first.commit();
      expect(await later.end).toBe("done");
      await second.commit();
    });
    expect(await roles()).toEqual({ carol: "owner" });
  });

  test("of two owners of three lists at once passes each, whatever plan each gets", async () => {
    const lists = [list, await makeList(), await makeList()];
    // In the table they stand the other way round than by their ids.
    for (const id of [lists[1], lists[0]])
      await api.sql("update api.lists set title = 'Moved' where id = $1", [id]);
    await inSessions([null, null, null], async (holder, first, second) => {
      // One reads the lists as they stand, the other by the key, for each membership in turn.
      const avoid = (...plans: string[]) =>
        plans.map((plan) => `set local enable_${plan} = off`).join(";");
      await first.start(avoid("indexscan", "bitmapscan", "nestloop", "mergejoin", "hashagg"));
      await second.start(avoid("seqscan", "bitmapscan", "hashjoin", "mergejoin", "hashagg"));
      await holder.start("select from api.lists where id = $1 for update", lists[1]);
      const [one, two] = [await endAccount(first, alice), await endAccount(second, bob)];
      expect([one.waits, two.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await one.end).toBe("done");
      await first.commit();
      expect(await two.end).toBe("done");
      await second.commit();
    });
    for (const id of lists) expect(await roles(id)).toEqual({ carol: "owner" });
  });

  test("of an owner passes the list on when the other owner leaves first", async () => {
    await inSessions([bob, null], async (leaving, ending) => {
      await leave(leaving, bob);
      const ended = await endAccount(ending, alice);
      expect(ended.waits).toBe(true);
      await leaving.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({ carol: "owner" });
  });

  test("of an owner keeps the other one, who leaves later", async () => {
    await inSessions([null, bob], async (ending, leaving) => {
      await endAccount(ending, alice);
      const left = await leave(leaving, bob);
      expect(left.waits).toBe(true);
      await ending.commit();
      expect(await left.end).toBe("last_owner");
    });
    expect(await roles()).toEqual({ bob: "owner", carol: "editor" });
  });

  test("passes the list to the next member when the heir leaves first", async () => {
    const dora = await signIn(api);
    await remove(bob);
    await api.sql("insert into api.lists_members (group_id, user_id) values ($1, $2)", [
      list,
      dora.id,
    ]);
    await inSessions([carol, null], async (leaving, ending) => {
      await leave(leaving, carol);
      const ended = await endAccount(ending, alice);
      expect(ended.waits).toBe(true);
      await leaving.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({ another: "owner" });
  });

  test("ends the list, too, when the only heir leaves first", async () => {
    await remove(bob);
    await inSessions([carol, null], async (leaving, ending) => {
      await leave(leaving, carol);
      const ended = await endAccount(ending, alice);
      await leaving.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await api.sql("select from api.lists where id = $1", [list])).toEqual([]);
  });

  test("keeps the heir who leaves later: they are the last owner", async () => {
    await remove(bob);
    await inSessions([null, carol], async (ending, leaving) => {
      await endAccount(ending, alice);
      const left = await leave(leaving, carol);
      expect(left.waits).toBe(true);
      await ending.commit();
      expect(await left.end).toBe("last_owner");
    });
    expect(await roles()).toEqual({ carol: "owner" });
  });

  test("of who becomes the last owner meanwhile passes the list on", async () => {
    await setRole(alice, "editor");
    await inSessions([bob, null], async (leaving, ending) => {
      await leaving.start(
        "update api.lists_members set role = 'owner' where group_id = $1 and user_id = $2",
        list,
        alice.id,
      );
      await leave(leaving, bob);
      const ended = await endAccount(ending, alice);
      expect(ended.waits).toBe(true);
      await leaving.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({ carol: "owner" });
  });

  test("of an owner who hands over meanwhile does not deadlock with it", async () => {
    await setRole(alice, "editor");
    await inSessions([null, bob, null], async (holder, handing, ending) => {
      await hold(holder, alice);
      const handed = await handOver(handing, alice);
      const ended = await endAccount(ending, bob);
      expect([handed.waits, ended.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await handed.end).toBe("done");
      await handing.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({ alice: "owner", carol: "editor" });
  });

  test("of an owner while another deletes the list does not deadlock with it", async () => {
    await inSessions([null, alice, null], async (holder, deleting, ending) => {
      await hold(holder, alice);
      const deleted = await deleteList(deleting);
      const ended = await endAccount(ending, bob);
      expect([deleted.waits, ended.waits]).toEqual([true, true]);
      await holder.commit();
      expect(await deleted.end).toBe("done");
      await deleting.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({});
  });

  test("passes the list to who accepts an invitation first", async () => {
    const dora = await signIn(api);
    await remove(bob, carol);
    const token = await invite(alice);
    await inSessions([dora, null], async (joining, ending) => {
      expect(await join(joining, token)).toMatchObject({ waits: false });
      const ended = await endAccount(ending, alice);
      expect(ended.waits).toBe(true);
      await joining.commit();
      expect(await ended.end).toBe("done");
      await ending.commit();
    });
    expect(await roles()).toEqual({ another: "owner" });
  });

  test("ends the list and its invitations before one of them is accepted", async () => {
    const dora = await signIn(api);
    await remove(bob, carol);
    const token = await invite(alice);
    await inSessions([null, dora], async (ending, joining) => {
      await endAccount(ending, alice);
      const joined = await join(joining, token);
      expect(joined.waits).toBe(true);
      await ending.commit();
      expect(await joined.end).toBe("invitation_invalid");
    });
    expect(await api.sql("select from api.lists where id = $1", [list])).toEqual([]);
  });
});

test("A deadlock with SQL that takes the locks in another order is an error, undone, and not sent again", async () => {
  let sent = 0;
  const db = createRowhouse({
    url: api.url,
    token: sign(claimsFor(alice.id)),
    onRequest: () => {
      sent += 1;
    },
  });
  const handOverToBob = () => db.rpc("hand_over_list", { list_id: list, to_member: bob.id });
  await makeOwner(list, carol.id);
  await inSessions([null, null], async (holder, other) => {
    // The advisory lock of the list first, and then a row. PostgreSQL ends the one that closes the circle:
    // the call, once the row that it waits for is free.
    await other.start("set local deadlock_timeout = '1h'");
    await leave(other, carol);
    await hold(holder, bob);
    const call = handOverToBob().catch((error: unknown) => error);
    await waitFor(async () => (await countWaiting()) === 1 || undefined, 10, 20_000);
    expect(await hold(other, alice)).toMatchObject({ waits: true });
    await holder.commit();
    expect(await call).toMatchObject({ name: "UnavailableError", status: 500, code: "40P01" });
    expect(sent).toBe(1);
  });
  expect(await roles()).toEqual({ alice: "owner", bob: "owner", carol: "owner" });
  await handOverToBob();
  expect(await roles()).toEqual({ alice: "editor", bob: "owner", carol: "owner" });
});

/** How many sessions of the database wait for a lock. */
async function countWaiting(): Promise<number> {
  const rows = await api.sql(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length;
}
