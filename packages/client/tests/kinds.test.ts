import { afterAll, beforeAll, expect, test } from "vitest";
import { generateApp } from "./generated-app.ts";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { getIds } from "./session.ts";

const things = `
  create type api.mood as enum ('sad', 'fine', 'glad');
  create domain api.label as text;
  create table api.things (
    id int primary key,
    tags text[],
    counts bigint[],
    meta jsonb,
    span int4range,
    days datemultirange,
    words tsvector,
    note text,
    label api.label,
    mood api.mood,
    at timestamptz,
    price numeric,
    flag boolean,
    place point
  );
  grant all on api.things to authenticated;
  insert into api.things values
    (1, '{a,"b,c"}', '{1,9007199254740993}', '{"kind": "k", "n": {"m": 1}}', '[1,5)',
      '{[2026-01-01,2026-02-01)}', to_tsvector('english', 'buying oat milk'), 'Buy 5% milk', 'one',
      'sad', '2026-01-01T00:00:00Z', 1.50, true, '(1,2)'),
    (2, '{b}', '{2}', '{"kind": "l", "list": ["x"]}', '[5,9)', '{}',
      to_tsvector('english', 'sold'), 'sell it', 'two', 'glad', '2026-06-01T00:00:00Z', 2, false, null),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null);
`;

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(things);
});
afterAll(() => own.api.stop());

test.each<[object, number[]]>([
  [{ tags: ["a", "b,c"] }, [1]],
  [{ tags: { eq: ["a", "b,c"] } }, [1]],
  [{ tags: { neq: ["b"] } }, [1]],
  [{ tags: { contains: ["b,c"] } }, [1]],
  [{ tags: { containedBy: ["b", "z"] } }, [2]],
  [{ tags: { overlaps: ["b", "a"] } }, [1, 2]],
  [{ tags: null }, [3]],
  [{ tags: { not: null } }, [1, 2]],
  [{ counts: { contains: ["9007199254740993"] } }, [1]],
  [{ counts: [2] }, [2]],
  [{ meta: { contains: { kind: "k" } } }, [1]],
  [{ meta: { contains: { n: { m: 1 } } } }, [1]],
  [{ meta: { eq: { list: ["x"], kind: "l" } } }, [2]],
  [{ meta: { not: { contains: { kind: "k" } } } }, [2]],
  [{ meta: { in: [{ kind: "l", list: ["x"] }] } }, [2]],
  [{ meta: { neq: null } }, [1, 2]],
  [{ span: "[1,5)" }, [1]],
  [{ span: { contains: "[2,3)" } }, [1]],
  [{ span: { containedBy: "[5,10)" } }, [2]],
  [{ span: { overlaps: "[4,6)" } }, [1, 2]],
  [{ span: { before: "[5,6)" } }, [1]],
  [{ span: { after: "[1,5)" } }, [2]],
  [{ span: { adjacent: "[5,6)" } }, [1]],
  [{ days: { contains: "{[2026-01-02,2026-01-03)}" } }, [1]],
  [{ words: { fullText: { query: "buy -sell", config: "english" } } }, [1]],
  [{ words: { fullText: { query: '"oat milk" or sold', config: "english" } } }, [1, 2]],
  [{ note: { fullText: { query: "milk", config: "simple" } } }, [1]],
  [{ note: { like: "Buy%" } }, [1]],
  [{ note: { like: "buy%" } }, []],
  [{ note: { ilike: "b_y%" } }, [1]],
  [{ note: { like: "%5\\%%" } }, [1]],
  [{ note: { match: "^(Buy|sell)" } }, [1, 2]],
  [{ note: { imatch: "MILK$" } }, [1]],
  [{ note: { contains: "5% M" } }, [1]],
  [{ note: { not: { like: "Buy%", contains: "milk" } } }, [2]],
  [{ label: { contains: "ON" } }, [1]],
  [{ mood: { gt: "fine" } }, [2]],
  [{ mood: { in: ["sad", "glad"] } }, [1, 2]],
  [{ at: { lt: "2026-02-01" } }, [1]],
  [{ at: new Date("2026-06-01") }, [2]],
  [{ price: 1.5 }, [1]],
  [{ price: { gte: "1.51" } }, [2]],
  [{ flag: { neq: true } }, [2]],
  [{ place: null }, [2, 3]],
])("Rows are found by the comparisons of their kind: %j", async (where, ids) => {
  const { db } = await own.start();
  const { items } = await db.things.list({ where, sort: { by: "id", order: "asc" } });
  expect(getIds(items)).toEqual(ids);
  expect(await db.things.count({ where })).toBe(ids.length);
});

test("A search looks into columns that may be null", async () => {
  const { db } = await own.start();
  const search = { text: "ONE", in: ["note", "label"] };
  expect(getIds((await db.things.list({ search })).items)).toEqual([1]);
});

test("The types offer the comparisons of each kind, and no others", async () => {
  const { errors } = await generateApp(
    things,
    `
      await db.things.list({
        where: {
          tags: ["a"],
          counts: { contains: ["1", 2] },
          meta: { contains: { kind: "k" } },
          span: { overlaps: "[1,2)" },
          words: { fullText: "milk" },
          note: { like: "a%", not: null },
          label: { contains: "x" },
          mood: { in: ["sad"] },
          price: { gt: 1, not: "2" },
          place: null,
        },
        search: { text: "x", in: ["note", "label"] },
        sort: [{ by: "price", nulls: "first" }, { by: "mood" }],
      });
      const row = await db.things.get(1);
      const values: [string | null, string[] | null] = [row.price, row.counts];
      await db.things.create({ id: 4, price: 2.5, counts: [1, "2"] });
      // @ts-expect-error an object of jsonb is compared by name
      await db.things.list({ where: { meta: { kind: "k" } } });
      // @ts-expect-error no text in a list
      await db.things.list({ where: { tags: { contains: "a" } } });
      // @ts-expect-error a list has no pattern
      await db.things.list({ where: { tags: { like: "a" } } });
      // @ts-expect-error PostgREST takes no list of lists
      await db.things.list({ where: { tags: { in: [["a"]] } } });
      // @ts-expect-error jsonb has no order
      await db.things.list({ where: { meta: { gt: {} } } });
      // @ts-expect-error a range has no patterns
      await db.things.list({ where: { span: { like: "1" } } });
      // @ts-expect-error a tsvector is not compared
      await db.things.list({ where: { words: "milk" } });
      // @ts-expect-error a point is not compared
      await db.things.list({ where: { place: "(1,2)" } });
      // @ts-expect-error no such label
      await db.things.list({ where: { mood: "bad" } });
      // @ts-expect-error an enum has no patterns
      await db.things.list({ where: { mood: { contains: "a" } } });
      // @ts-expect-error jsonb has no order
      await db.things.list({ sort: { by: "meta" } });
      // @ts-expect-error no column of text
      await db.things.list({ search: { text: "x", in: ["mood"] } });
      return values;
    `,
  );
  expect(errors).toBe("");
});
