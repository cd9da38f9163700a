import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, getIds } from "./session.ts";
import { newSeed, randomly } from "./support.ts";

const seed = newSeed();
const random = randomly(seed);
const oneOf = <V>(values: readonly V[]): V => values[Math.floor(random() * values.length)] as V;

const columns = ["due", "n", "flag", "word", "fine"] as const;

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(
    `
      create table api.items (
        id uuid primary key default gen_random_uuid(),
        due date,
        n numeric,
        flag boolean,
        word text,
        fine int not null
      );
      grant all on api.items to authenticated;
      insert into api.items (due, n, flag, word, fine)
      select
        case when random() < 0.6 then date '2026-01-01' + (random() * 3)::int end,
        case when random() < 0.6 then round((random() * 3)::numeric, 0) end,
        case when random() < 0.6 then random() < 0.5 end,
        case when random() < 0.6 then (array['a', 'B', 'null', '"', ''])[1 + random() * 4] end,
        random() * 3
      from generate_series(1, 40);
    `,
    { maxRows: 7 },
  );
});
afterAll(() => own.api.stop());

interface Sort {
  readonly by: (typeof columns)[number];
  readonly order: "asc" | "desc";
  readonly nulls?: "first" | "last";
}

const randomSort = (): Sort => ({
  by: oneOf(columns),
  order: oneOf(["asc", "desc"]),
  ...oneOf([{}, { nulls: "first" as const }, { nulls: "last" as const }]),
});

/** The ids in the order of PostgreSQL itself. */
async function sortedTruth(sorts: readonly Sort[]): Promise<string[]> {
  const steps = sorts.map(
    ({ by, order, nulls }) => `${by} ${order} ${nulls ? `nulls ${nulls}` : ""}`,
  );
  const order = [...steps, `id ${sorts.at(-1)?.order}`].join(", ");
  return (await own.api.sql(`select id from api.items order by ${order}`)).map(({ id }) => `${id}`);
}

describe(`A list sorted by columns with nulls and ties (seed ${seed})`, () => {
  const all = columns.flatMap((by) =>
    (["asc", "desc"] as const).flatMap((order) => [
      { by, order },
      { by, order, nulls: "first" as const },
      { by, order, nulls: "last" as const },
    ]),
  );
  const cases = [
    ...all.map((sort) => [sort]),
    ...Array.from({ length: 20 }, () => [randomSort(), randomSort()]),
    ...Array.from({ length: 10 }, () => [randomSort(), randomSort(), randomSort()]),
  ]
    .map((sorts) => sorts.filter(({ by }, at) => sorts.findIndex((one) => one.by === by) === at))
    .map((sorts) => [JSON.stringify(sorts), sorts] as const);

  test.each(cases)("%s is PostgreSQL's order, whatever the pages", async (_, sorts) => {
    const { db } = await own.start();
    const wanted = await sortedTruth(sorts);
    for (const limit of [1 + Math.floor(random() * 6), 13]) {
      expect(getIds(await collect(db.items.all({ sort: sorts, pageSize: limit })))).toEqual(wanted);
      const listed: string[] = [];
      let after: string | undefined;
      do {
        const page: { items: { id: string }[]; next?: string } = await db.items.list({
          sort: sorts,
          limit,
          after,
        });
        listed.push(...getIds(page.items));
        after = page.next;
      } while (after !== undefined);
      expect(listed).toEqual(wanted);
    }
  });
});
