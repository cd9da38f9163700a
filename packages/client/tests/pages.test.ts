import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { InvalidError, type ListOptions, type Tables } from "../../../client/index.ts";
import { collect, failure, getIds, type Session, startSession, type TaskTypes } from "./session.ts";
import { type Backend, cut, newId, startBackend } from "./support.ts";

const maxRows = 7;
let api: Backend;
let alice: Session;
beforeAll(async () => {
  api = await startBackend({ maxRows });
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
});

/** Gives Alice so many tasks, every third of them completed; their titles repeat. */
const fill = (count: number, titles: readonly string[] = ["t"]) =>
  api.sql(
    `insert into api.tasks (user_id, id, title, completed)
    select $1, id, ($3::text[])[1 + at % cardinality($3::text[])], at % 3 = 0
    from unnest($2::uuid[]) with ordinality as given (id, at)`,
    [alice.id, Array.from({ length: count }, newId), titles],
  );

/** Alice's rows as PostgreSQL sorts them. */
const sorted = async (order: string) =>
  (await api.sql(`select id from api.tasks where user_id = $1 order by ${order}`, [alice.id])).map(
    ({ id }) => id,
  );

/** All pages of a list, one after the other. */
async function walk(
  options: ListOptions<TaskTypes>,
  between: (page: Tables<"tasks">[]) => unknown = () => {},
): Promise<Tables<"tasks">[][]> {
  const pages: Tables<"tasks">[][] = [];
  let after: string | undefined;
  do {
    const page = await alice.db.tasks.list({ ...options, after });
    pages.push(page.items);
    await between(page.items);
    after = page.next;
  } while (after !== undefined && pages.length < 100);
  return pages;
}

test.each([
  [0, [0]],
  [1, [1]],
  [4, [4]],
  [5, [5]],
  [6, [5, 1]],
  [10, [5, 5]],
  [11, [5, 5, 1]],
])("A user with %i rows gets them in pages of 5: %j", async (count, sizes) => {
  await fill(count);
  const pages = await walk({ limit: 5 });
  expect(pages.map(({ length }) => length)).toEqual(sizes);
  expect(getIds(pages.flat())).toEqual(await sorted("id desc"));
});

test("A user gets the newest rows first", async () => {
  const one = await alice.db.tasks.create({ title: "one" });
  await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(one.created_at) + 1);
  const two = await alice.db.tasks.create({ title: "two" });
  expect((await alice.db.tasks.list()).items).toEqual([two, one]);
});

describe.each([7, 14, 20])(
  "A user with %i rows, of which the server gives 7 at a time,",
  (count) => {
    beforeEach(() => fill(count));

    test.each([undefined, 8, 1000])("loses none in a list with the limit %s", async (limit) => {
      const pages = await walk(limit === undefined ? {} : { limit });
      expect(getIds(pages.flat())).toEqual(await sorted("id desc"));
      expect(pages).toHaveLength(Math.ceil(count / maxRows));
    });

    test.each([undefined, 3, 7, 1000])("loses none in all, %s at a time", async (pageSize) => {
      const rows = await collect(alice.db.tasks.all(pageSize === undefined ? {} : { pageSize }));
      expect(getIds(rows)).toEqual(await sorted("id desc"));
    });

    test("loses none of those that meet the conditions", async () => {
      const where = { completed: true };
      const search = { text: "T", in: ["title", "description"] as const };
      const all = await collect(alice.db.tasks.all({ where, search, pageSize: 2 }));
      const pages = await walk({ where, search, limit: 2, sort: { by: "title" } });
      const rows = await api.sql(
        "select id from api.tasks where user_id = $1 and completed order by id",
        [alice.id],
      );
      expect(getIds(all)).toEqual(rows.map(({ id }) => id).reverse());
      expect(getIds(pages.flat())).toEqual(rows.map(({ id }) => id));
    });

    test("counts them all", async () => {
      expect(await alice.db.tasks.count()).toBe(count);
    });
  },
);

test("A user's createMany whose reply is lost finds more rows than the server gives at a time", async () => {
  alice.proxy.next(cut);
  const rows = Array.from({ length: 20 }, (_, at) => ({ title: `t${at}` }));
  const created = await alice.db.tasks.createMany(rows);
  expect(created.map(({ title }) => title)).toEqual(rows.map(({ title }) => title));
  expect(await alice.db.tasks.count()).toBe(20);
});

describe.each(["list", "all"] as const)("A user who walks by %s while rows come and go", (way) => {
  test("gets each of the others once", async () => {
    await fill(20);
    const before = (await sorted("id desc")) as string[];
    const deleted = new Set<string>();
    const seen: string[] = [];
    const disturb = async (page: Tables<"tasks">[]) => {
      seen.push(...getIds(page));
      const ahead = before.filter((id) => !seen.includes(id));
      // The row where the next page begins, one that is far ahead, and a new one.
      const gone = [seen.at(-1), ahead.at(-1)].filter((id) => id !== undefined);
      for (const id of gone) deleted.add(id);
      await api.sql("delete from api.tasks where id = any($1)", [gone]);
      await alice.db.tasks.create({ title: "new" });
    };
    if (way === "list") await walk({ limit: 3 }, disturb);
    else for await (const row of alice.db.tasks.all({ pageSize: 3 })) await disturb([row]);

    expect(new Set(seen).size).toBe(seen.length);
    const others = before.filter((id) => !deleted.has(id));
    expect(seen.filter((id) => others.includes(id))).toEqual(others);
  });
});

const odd = [
  "plain",
  'a "quoted" one',
  "it's",
  "one, two",
  "(in brackets)",
  "or(title.eq.x)",
  "back\\slash",
  'both \\" of them',
  "ends with \\",
  "100%_*",
  "a.b:c",
  "null",
  "😀 emoji",
  "שלום עולם",
  "مرحبا, (x)",
  "e\u0301",
  " leading and trailing ",
  "new\nline",
  "+&=#?%2C",
];

describe.each(["asc", "desc"] as const)("A user who sorts %s", (order) => {
  test.each([1, 2, 7])("by odd titles that repeat gets all, %i at a time", async (limit) => {
    await fill(odd.length * 2 + 5, odd);
    const wanted = await sorted(`title ${order}, id ${order}`);
    const sort = { by: "title", order } as const;
    expect(getIds((await walk({ sort, limit })).flat())).toEqual(wanted);
    expect(getIds(await collect(alice.db.tasks.all({ sort, pageSize: limit })))).toEqual(wanted);
  });

  test.each(["completed", "created_at", "description", "id"] as const)("by %s", async (by) => {
    await fill(15);
    const pages = await walk({ sort: { by, order }, limit: 4 });
    expect(getIds(pages.flat())).toEqual(await sorted(`${by} ${order}, id ${order}`));
  });
});

test.each([
  ["empty", ""],
  ["no JSON", "nonsense"],
  ["JSON of another kind", '{"id":1}'],
  ["an empty list", "[]"],
  ["a list of something else", "[1]"],
  ["a list with more", '["a","b","c"]'],
  ["no id", '["nonsense"]'],
  ["filter syntax", '["x),or(title.eq.a"]'],
])("A user's `after` that is %s is an InvalidError", async (_, after) => {
  await fill(1);
  expect(await failure(alice.db.tasks.list({ after }))).toBeInstanceOf(InvalidError);
});

test("A user's `after` of a list that was sorted otherwise is an InvalidError", async () => {
  await fill(3);
  const byId = await alice.db.tasks.list({ limit: 1 });
  const byTitle = await alice.db.tasks.list({ limit: 1, sort: { by: "title" } });
  const wrong: ListOptions<TaskTypes>[] = [
    { after: byId.next, sort: { by: "title" } },
    { after: byTitle.next },
    { after: byTitle.next, sort: { by: "description" } },
  ];
  for (const options of wrong) {
    expect(await failure(alice.db.tasks.list(options))).toMatchObject({ code: "cursor" });
  }
});

test.each([-1, 0, 1.5, Number.NaN])("A user's limit of %d is an InvalidError", async (limit) => {
  await fill(3);
  const { tasks } = alice.db;
  expect(await failure(tasks.list({ limit }))).toBeInstanceOf(InvalidError);
  expect(await failure(collect(tasks.all({ pageSize: limit })))).toBeInstanceOf(InvalidError);
});

test("A user who stops iterating requests no more pages", async () => {
  await fill(20);
  const seen: string[] = [];
  for await (const { id } of alice.db.tasks.all({ pageSize: 3 })) {
    seen.push(id);
    if (seen.length === 4) break;
  }
  expect(seen).toEqual((await sorted("id desc")).slice(0, 4));
  expect(alice.proxy.requests).toHaveLength(2);
});

test("A user who only creates the iterator sends nothing", async () => {
  alice.db.tasks.all();
  await alice.db.tasks.count();
  expect(alice.proxy.requests).toHaveLength(1);
});
