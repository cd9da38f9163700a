import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OwnSession, type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, failure, getIds } from "./session.ts";
import { cut, newId } from "./support.ts";

let own: OwnTables;
let alice: OwnSession;
let bob: OwnSession;
beforeAll(async () => {
  own = await startOwnTables(
    `
      alter table api.tasks add column shared_with uuid;
      grant select (shared_with), insert (shared_with) on api.tasks to authenticated;
      create policy read_shared on api.tasks for select to authenticated
        using (shared_with = request.user_id());
      create policy change_shared on api.tasks for update to authenticated
        using (shared_with = request.user_id()) with check (true);
      create policy delete_shared on api.tasks for delete to authenticated
        using (shared_with = request.user_id());

      create table api.lists (
        id uuid primary key default request.uuid_v7(),
        name text not null,
        version int not null default 1
      );
      create table api.members (
        list_id uuid references api.lists on delete cascade,
        member_id uuid not null default request.user_id(),
        role text not null,
        primary key (list_id, member_id)
      );
      create table api.counters (id bigint generated always as identity primary key, name text unique);
      create table api.emails (address text not null unique, note text);
      create view api.open_lists with (security_invoker) as select id as list, name from api.lists;
      create table api.logs (entry text);
      grant all on api.lists, api.members, api.emails, api.logs to authenticated;
      grant select, insert (name), update (name), delete on api.counters to authenticated;
      grant select on api.open_lists to authenticated;
    `,
    { maxRows: 5 },
  );
});
afterAll(() => own.api.stop());
beforeEach(async () => {
  alice = await own.start();
  bob = await own.start();
});

describe("A row that a policy shares with a user", () => {
  test("is in their list, and can be read, changed and deleted by its id", async () => {
    const shared = await alice.db.tasks.create({ title: "for bob", shared_with: bob.id });
    const mine = await bob.db.tasks.create({ title: "mine" });
    expect((await bob.db.tasks.list()).items).toEqual([mine, shared]);
    expect((await bob.db.tasks.list({ mine: true })).items).toEqual([mine]);
    expect(await bob.db.tasks.count()).toBe(2);
    expect(await bob.db.tasks.count({ mine: true })).toBe(1);
    expect(await bob.db.tasks.get(shared.id)).toEqual(shared);
    expect(await bob.db.tasks.update(shared.id, { completed: true })).toMatchObject({
      id: shared.id,
      user_id: alice.id,
      completed: true,
    });
    await bob.db.tasks.delete(shared.id);
    expect(await alice.db.tasks.list()).toEqual({ items: [], next: undefined });
  });

  test("and that has the id of one of their own is changed by its whole key alone", async () => {
    const id = newId();
    const theirs = await alice.db.tasks.create({ id, title: "alice", shared_with: bob.id });
    const mine = await bob.db.tasks.create({ id, title: "bob" });
    const ambiguous = { name: "ConflictError", code: "PGRST116" };
    expect(await failure(bob.db.tasks.get(id))).toMatchObject(ambiguous);
    expect(await failure(bob.db.tasks.update(id, { title: "both" }))).toMatchObject(ambiguous);
    expect(await failure(bob.db.tasks.delete(id))).toMatchObject(ambiguous);
    expect((await bob.db.tasks.list()).items).toHaveLength(2);
    expect(await bob.db.tasks.get(theirs)).toEqual(theirs);
    expect(await bob.db.tasks.update(theirs, { title: "hers" })).toMatchObject({
      user_id: alice.id,
    });
    expect(await bob.db.tasks.get({ user_id: bob.id, id })).toEqual(mine);
    await bob.db.tasks.delete(mine);
    expect(await bob.db.tasks.get(id)).toMatchObject({ title: "hers" });
  });

  test("is reached in every page, beside those with the same id", async () => {
    const ids = Array.from({ length: 6 }, newId);
    const titles = (who: string) => ids.map((id, at) => ({ id, title: `${who} ${at % 2}` }));
    await alice.db.tasks.createMany(titles("t").map((row) => ({ ...row, shared_with: bob.id })));
    await bob.db.tasks.createMany(titles("t"));
    for (const sort of [[], { by: "title" }, { by: "completed", order: "desc" }]) {
      for (const pageSize of [1, 3, 50]) {
        const rows = await collect<{ id: string; user_id: string }>(
          bob.db.tasks.all({ sort, pageSize }),
        );
        expect(new Set(rows.map(({ id, user_id }) => `${id} ${user_id}`)).size).toBe(12);
        expect(rows).toHaveLength(12);
      }
    }
  });
});

describe("A table without owners", () => {
  test("has a collection, whose ids the client makes where it may", async () => {
    alice.proxy.next(cut);
    const list = await alice.db.lists.create({ name: "shared" });
    expect(list).toMatchObject({ name: "shared", version: 1 });
    expect(await bob.db.lists.update(list.id, { name: "by bob" })).toMatchObject({ id: list.id });
    expect(await alice.db.lists.count({ where: { id: list.id } })).toBe(1);
    await alice.db.lists.delete(list);
    expect(await failure(bob.db.lists.get(list.id))).toMatchObject({ code: "no_row" });
  });

  test("with a key of several columns goes by all of them", async () => {
    const list = await alice.db.lists.create({ name: "l" });
    alice.proxy.next(cut);
    const key = { list_id: list.id, member_id: bob.id };
    const member = await alice.db.members.create({ ...key, role: "viewer" });
    expect(await bob.db.members.get(key)).toEqual({ ...key, role: "viewer" });
    expect(await bob.db.members.update(member, { role: "editor" })).toMatchObject({
      role: "editor",
    });
    expect(await failure(bob.db.members.get(list.id))).toMatchObject({ code: "key" });
    await alice.db.members.create({ list_id: list.id, member_id: alice.id, role: "owner" });
    const where = { list_id: list.id };
    expect(await collect(bob.db.members.all({ where, pageSize: 1 }))).toHaveLength(2);
    await bob.db.members.delete(key);
    expect(await bob.db.members.count({ where })).toBe(1);
  });

  test("whose ids the database makes is sent a row once, and no second one", async () => {
    const counter = await alice.db.counters.create({ name: newId() });
    expect(counter.id).toMatch(/^\d+$/);
    alice.proxy.next(cut);
    const lost = alice.db.counters.create({ name: "lost" });
    expect(await failure(lost)).toMatchObject({ name: "UnavailableError", code: "network" });
    expect(await alice.db.counters.count({ where: { name: "lost" } })).toBe(1);
  });

  test("without a primary key goes by a unique one, and without any has no collection", async () => {
    const address = `${newId()}@x.org`;
    alice.proxy.next(cut);
    await alice.db.emails.create({ address, note: "n" });
    expect(await bob.db.emails.get(address)).toEqual({ address, note: "n" });
    expect(alice.db.logs).toBeUndefined();
    expect(() => alice.db.table("logs")).toThrow(/Unknown collection "logs"/);
  });

  test("and a view of it are read by the same key", async () => {
    const list = await alice.db.lists.create({ name: "seen" });
    expect(await bob.db.open_lists.get(list.id)).toEqual({ list: list.id, name: "seen" });
    const pages = await collect<{ list: string }>(
      bob.db.open_lists.all({ where: { list: list.id }, pageSize: 1 }),
    );
    expect(pages).toHaveLength(1);
  });
});

test("A list counts the whole of it when asked, whatever the page", async () => {
  await alice.db.tasks.createMany(Array.from({ length: 12 }, (_, at) => ({ title: `t${at % 3}` })));
  const first = await alice.db.tasks.list({ limit: 4, count: true });
  expect(first).toMatchObject({ total: 12 });
  const where = { title: "t1" };
  const second = await alice.db.tasks.list({ limit: 3, where, count: true });
  expect(second).toMatchObject({ total: 4 });
  const last = await alice.db.tasks.list({ limit: 3, where, count: true, after: second.next });
  expect(last).toMatchObject({ total: 4, next: undefined });
  expect(getIds([...second.items, ...last.items])).toHaveLength(4);
  expect(await alice.db.tasks.list({ limit: 4 })).not.toHaveProperty("total");
});

test("A list asks for no count unless told to", async () => {
  await alice.db.tasks.createMany(Array.from({ length: 8 }, () => ({ title: "t" })));
  const before = alice.proxy.requests.length;
  await collect(alice.db.tasks.all({ pageSize: 3 }));
  await alice.db.tasks.list({ limit: 3 });
  for (const { headers } of alice.proxy.requests.slice(before)) {
    expect(headers.prefer ?? "").not.toContain("count");
  }
});
