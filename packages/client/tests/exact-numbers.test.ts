import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, failure, getIds } from "./session.ts";
import { answer } from "./support.ts";

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(`
    create domain api.cents as numeric;
    create table api.prices (
      id bigint primary key,
      n numeric,
      cents api.cents,
      list bigint[],
      double float8,
      single real,
      meta jsonb
    );
    create table api.offers (
      id uuid primary key default gen_random_uuid(),
      price_id bigint constraint offers_price_fkey references api.prices
    );
    grant all on api.prices, api.offers to authenticated;
    create function api.biggest() returns bigint language sql as 'select max(id) from api.prices';
    create function api.all_prices() returns setof api.prices language sql as 'table api.prices';
    grant execute on function api.biggest, api.all_prices to authenticated;
    insert into api.prices (id, n, meta) values
      (9007199254740993, 0.1000000000000000055, '{"k": 9007199254740993}'),
      (9007199254740995, 0.1000000000000000056, null),
      (9007199254740994, 0.1, null),
      (-9007199254740993, 'NaN', null),
      (5, 12.50, null);
    insert into api.offers (price_id) values (9007199254740993);
  `);
});
afterAll(() => own.api.stop());

describe.each(["asc", "desc"] as const)("A list sorted %s", (order) => {
  test.each(["id", "n"])(
    "by exact numbers in %s gets each row once, a row at a time",
    async (by) => {
      const { db } = await own.start();
      const wanted = (await own.api.sql(
        `select id::text from api.prices order by ${by} ${order}, id ${order}`,
      )) as { id: string }[];
      const sort = { by, order };
      expect(getIds(await collect(db.prices.all({ sort, pageSize: 1 })))).toEqual(getIds(wanted));
    },
  );
});

test("A user reads exact numbers as strings, to the last digit, however small they are", async () => {
  const { db } = await own.start();
  expect(await db.prices.get("5")).toMatchObject({ id: "5", n: "12.50" });
  expect(await db.prices.get("-9007199254740993")).toMatchObject({ n: "NaN" });
  expect(await db.prices.get("9007199254740993")).toMatchObject({
    id: "9007199254740993",
    n: "0.1000000000000000055",
    meta: { k: "9007199254740993" },
  });
  const { items } = await db.offers.list({ with: ["prices"] });
  expect(items[0]).toMatchObject({
    price_id: "9007199254740993",
    prices: { id: "9007199254740993" },
  });
});

test("A user creates, changes and deletes them, and gets back what is stored", async () => {
  const { db } = await own.start();
  const row = {
    id: "9223372036854775807",
    n: "0.30000000000000000001",
    cents: 1.25,
    list: [2n ** 60n, "7", 8],
    double: 0.1 + 0.2,
    single: Number.NaN,
  };
  const stored = await db.prices.create(row);
  expect(stored).toEqual({
    ...row,
    cents: "1.25",
    list: ["1152921504606846976", "7", "8"],
    single: "NaN",
    meta: null,
  });
  expect(await db.prices.update(row.id, { n: 7 })).toEqual({ ...stored, n: "7" });
  expect(await db.prices.count({ where: { id: { gt: "9223372036854775806" } } })).toBe(1);
  expect(await db.prices.count({ where: { list: { contains: ["1152921504606846976"] } } })).toBe(1);
  await db.prices.delete(row.id);
});

test("A number that JavaScript has rounded is refused, and not sent", async () => {
  const { db, proxy } = await own.start();
  const rounded = 2 ** 53 + 2;
  const calls = [
    db.prices.create({ id: rounded }),
    db.prices.update("5", { n: rounded }),
    db.prices.create({ id: 1, list: [rounded] }),
    db.prices.list({ where: { id: rounded } }),
    db.prices.list({ where: { id: { in: [1, rounded] } } }),
    db.prices.count({ where: { list: { overlaps: [rounded] } } }),
  ];
  for (const call of calls) {
    expect(await failure(call)).toMatchObject({ name: "InvalidError", code: "unsafe_number" });
  }
  expect(proxy.requests).toEqual([]);
});

test("A function and postgrest-js round nothing either", async () => {
  const { db } = await own.start();
  expect(await db.rpc("biggest")).toBe("9007199254740995");
  const rows = await db.rpc("all_prices");
  expect(rows).toContainEqual(expect.objectContaining({ id: 5, n: 12.5 }));
  expect(rows).toContainEqual(expect.objectContaining({ id: "9007199254740995" }));
  const { data } = await db.rest.from("prices").select("id, n").eq("n", "0.1000000000000000055");
  expect(data).toEqual([{ id: "9007199254740993", n: "0.1000000000000000055" }]);
});

test("A page that does not advance is an error, and not sent for ever", async () => {
  const { db, proxy } = await own.start();
  const stuck = answer(200, { body: [{ id: "1" }, { id: "1" }] });
  proxy.next(stuck, stuck);
  expect(await failure(collect(db.prices.all({ pageSize: 1 })))).toMatchObject({
    name: "UnavailableError",
    code: "no_advance",
  });
});
