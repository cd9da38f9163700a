import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnSession, type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, failure, getIds } from "./session.ts";
import { newId } from "./support.ts";

const maxRows = 30;
let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables("", { maxRows });
});
afterAll(() => own.api.stop());

/** A user with tasks, and the ids of these among those of none. */
async function start(tasks: number, others: number) {
  const alice = await own.start();
  const ids = Array.from({ length: tasks }, newId);
  await own.api.sql(
    `insert into api.tasks (user_id, id, title, completed)
    select $1, id, chr(97 + (at % 7)::int), at % 2 = 0
    from unnest($2::uuid[]) with ordinality as given (id, at)`,
    [alice.id, ids],
  );
  const all = [...ids, ...Array.from({ length: others }, newId)].sort(() => Math.random() - 0.5);
  return { alice, all };
}

const truth = async ({ id }: OwnSession, order: string) =>
  getIds(
    (await own.api.sql(`select id from api.tasks where user_id = $1 order by ${order}`, [id])) as {
      id: string;
    }[],
  );

test.each([
  [400, {}, "id desc"],
  [1200, {}, "id desc"],
  [1200, { sort: { by: "title" } }, "title, id"],
  [
    1200,
    { sort: [{ by: "completed", order: "desc" }, { by: "title" }] },
    "completed desc, title, id",
  ],
])(
  "%i ids in a condition are split, and the order is PostgreSQL's: %j",
  async (count, options, order) => {
    const { alice, all } = await start(60, count - 60);
    const where = { id: { in: all } };
    const wanted = await truth(alice, order);
    const listed: string[] = [];
    let after: string | undefined;
    do {
      const page = await alice.db.tasks.list({ ...options, where, limit: 17, after });
      listed.push(...getIds(page.items as { id: string }[]));
      expect(page.items.length).toBeLessThanOrEqual(17);
      after = page.next;
    } while (after !== undefined);
    expect(listed).toEqual(wanted);
    expect(getIds(await collect(alice.db.tasks.all({ ...options, where })))).toEqual(wanted);
    for (const { path, query } of alice.proxy.requests) {
      expect(`${path}?${query}`.length).toBeLessThan(16_000);
    }
  },
);

test("A long list is counted, combined with other conditions, and with another long list", async () => {
  const { alice, all } = await start(20, 500);
  const where = { id: { in: [...all, ...all] }, completed: true };
  expect(await alice.db.tasks.count({ where })).toBe(10);
  const titles = [...Array.from({ length: 400 }, (_, at) => `no "${at}"`), "a", "b"];
  const both = { ...where, title: { in: titles } };
  const wanted = await own.api.sql(
    "select id from api.tasks where user_id = $1 and completed and title in ('a', 'b') order by id desc",
    [alice.id],
  );
  expect(getIds(await collect(alice.db.tasks.all({ where: both })))).toEqual(
    getIds(wanted as { id: string }[]),
  );
  const page = await alice.db.tasks.list({ where: both, count: true });
  expect(page).toMatchObject({ total: wanted.length, next: undefined });
});

test("A list in which a text is too long for any address is a TooLargeError, and nothing is sent", async () => {
  const alice = await own.start();
  const where = { title: { in: ["a", "b".repeat(10_000)] } };
  const call = alice.db.tasks.list({ where });
  expect(await failure(call)).toMatchObject({ name: "TooLargeError", code: "conditions_too_long" });
  expect(alice.proxy.requests).toEqual([]);
});
