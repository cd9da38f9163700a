import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, getIds } from "./session.ts";

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(
    `
      create table api.samples (
        id uuid primary key default gen_random_uuid(),
        length interval,
        cost money,
        bytes bytea,
        address inet,
        padded char(3),
        at timestamptz,
        double float8,
        single real,
        bits bit(3)
      );
      grant all on api.samples to authenticated;
      insert into api.samples (length, cost, bytes, address, padded, at, double, single, bits)
      select
        (array['1 day', '24:00:00', '1 mon', '30 days', '-1 day'])[1 + n % 5]::interval,
        (n % 4)::text::money,
        decode(lpad(to_hex(n % 6), 2, '0'), 'hex'),
        ('10.0.0.' || n % 5)::inet,
        (array['a', 'ab', 'b '])[1 + n % 3],
        (array['infinity', '-infinity', '2026-01-01 00:00:00.123456Z', '0044-03-15 BC'])[1 + n % 4]::timestamptz,
        (array['NaN', 'Infinity', '-Infinity', '-0', '0', '0.1', '1e300', '1e-300'])[1 + n % 8]::float8,
        (array[0.1, 0.2, 16777217])[1 + n % 3]::real,
        (n % 8)::bit(3)
      from generate_series(1, 30) as n;
    `,
    { maxRows: 4 },
  );
});
afterAll(() => own.api.stop());

test.each(["length", "cost", "bytes", "address", "padded", "at", "double", "single", "bits"])(
  "A list sorted by %s is PostgreSQL's order, page by page",
  async (by) => {
    const { db } = await own.start();
    for (const order of ["asc", "desc"]) {
      const wanted = await own.api.sql(
        `select id from api.samples order by ${by} ${order}, id ${order}`,
      );
      const rows = await collect(db.samples.all({ sort: { by, order }, pageSize: 3 }));
      expect(getIds(rows)).toEqual(getIds(wanted as { id: string }[]));
    }
  },
);
