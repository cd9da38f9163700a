import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { failure } from "./session.ts";
import { cut, newId } from "./support.ts";

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(`
    create table api.events (
      id uuid primary key,
      at timestamptz,
      day date,
      price numeric,
      n bigint,
      single real,
      meta jsonb,
      tags text[],
      sizes numeric[],
      length interval,
      padded char(5),
      span int4range,
      raw json,
      note text
    );
    create table api.days (id date primary key);
    create table api.moments (id timestamptz primary key);
    create table api.numbers (id bigint primary key);
    create table api.texts (id text primary key);
    create table api.marks (event_id uuid, label text, price numeric, primary key (event_id, label));
    grant all on api.events, api.marks, api.days, api.moments, api.numbers, api.texts
      to authenticated;
  `);
});
afterAll(() => own.api.stop());

describe("A create whose answer is lost is found again, though a value is spelled differently:", () => {
  test.each<[string, object]>([
    ["a moment in another zone", { at: "2026-01-01T01:00:00+01:00" }],
    ["a moment with a space", { at: "2026-01-01 00:00:00.500Z" }],
    ["a Date", { at: new Date("2026-01-01") }],
    ["a date by its month", { day: "January 8, 2026" }],
    ["a price with more zeros", { price: "1.5000" }],
    ["a price as a number", { price: 12.5 }],
    ["a bigint as a number", { n: 5 }],
    ["a bigint with a sign", { n: "+9007199254740993" }],
    ["a bigint of JavaScript", { n: 2n ** 60n }],
    ["a number of fewer digits than sent", { single: 0.1234567891 }],
    ["jsonb with its keys in another order", { meta: { b: 1, a: { d: [1, 2], c: null } } }],
    ["jsonb with a repeated number", { meta: { n: 1.0 } }],
    ["tags with commas", { tags: ["a,b", 'c"d', ""] }],
    ["numbers in a list", { sizes: [1, "2.50"] }],
    ["an interval", { length: "90 minutes" }],
    ["a padded text", { padded: "ab" }],
    ["a range with other bounds", { span: "[1,4]" }],
    ["nothing", { note: null, at: undefined }],
  ])("%s", async (_, values) => {
    const { db, proxy } = await own.start();
    const row = { id: newId(), ...values };
    proxy.next(cut);
    expect(await db.events.create(row)).toMatchObject({ id: row.id });
    proxy.next(cut);
    const rows = [
      { id: newId(), ...values },
      { id: newId(), ...values },
    ];
    expect(await db.events.createMany(rows)).toMatchObject(rows.map(({ id }) => ({ id })));
    const mark = { event_id: row.id, label: "l", price: "1.50" };
    proxy.next(cut);
    expect(await db.marks.create(mark)).toEqual(mark);
  });
});

test.each<[string, unknown]>([
  ["days", "January 9, 2026"],
  ["moments", new Date(1_234)],
  ["numbers", "+5"],
  ["texts", `,"%() 😀'1`],
  ["texts", ""],
])("A create in %s is found by its key, however that is spelled: %s", async (table, id) => {
  const { db, proxy } = await own.start();
  proxy.next(cut);
  const row = await db[table].create({ id });
  expect(await db[table].get(row)).toEqual(row);
  await db[table].delete(row);
});

describe("An older row with the same id is a ConflictError, however alike it is:", () => {
  test.each<[string, object, object]>([
    ["a later moment", { at: "2026-01-01T00:00:00+00:00" }, { at: "2026-01-01T00:00:00.001Z" }],
    ["another price", { price: "1.5" }, { price: "1.50000000000000000001" }],
    ["another bigint", { n: "9007199254740993" }, { n: "9007199254740992" }],
    ["another document", { meta: { a: 1 } }, { meta: { a: 2 } }],
    ["a value where none is", { note: null }, { note: "" }],
    ["none where a value is", { note: "n" }, { note: null }],
    ["another list", { tags: ["a"] }, { tags: ["b"] }],
    ["json of another text", { raw: { a: 1 } }, { raw: { a: 2 } }],
    ["a text that no address holds", { note: "a".repeat(9_000) }, { note: "b".repeat(9_000) }],
  ])("%s", async (_, older, newer) => {
    const { db, proxy } = await own.start();
    const { id } = await db.events.create({ id: newId(), ...older });
    proxy.next(cut);
    const error = await failure(db.events.create({ id, ...newer }));
    expect(error).toMatchObject({ name: "ConflictError", code: "23505" });
    expect(await db.events.get(id)).toMatchObject({ id, ...older });
  });
});
