import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnTables, startOwnTables } from "./own-tables.ts";
import { collect, getIds } from "./session.ts";
import { newSeed, randomly } from "./support.ts";

/** What names are put together from. */
const pieces = [
  ..."aZ_09é😀 .,:;()[]{}<>!?*%&=#@~^|/+-'\"\\`$\n\t",
  ...["select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not", "count"],
  ...["->", "->>", "::text", "eq.", "null", "!inner", "...", "%2C", "&limit=0", "constructor"],
];

/** Names that have a meaning somewhere on the way. */
const known = [
  ...[
    "select",
    "order",
    "limit",
    "offset",
    "columns",
    "on_conflict",
    "and",
    "or",
    "not",
    "not.and",
  ],
  ...[
    "a.b",
    "x,y",
    'say "hi"',
    "back\\slash",
    "count",
    "count()",
    "a:b",
    "a->b",
    "Title",
    "1",
    " ",
  ],
  ...[
    "constructor",
    "toString",
    "hasOwnProperty",
    "then",
    "a&b=c",
    "100%",
    "#",
    "null",
    "é",
    "a!b",
  ],
];

const seed = newSeed();
const random = randomly(seed);
const randomName = () =>
  Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    return pieces[Math.floor(random() * pieces.length)];
  }).join("");

// No name is longer than 63 bytes, and no condition can name a column called *.
const names = [...new Set([...known, ...Array.from({ length: 60 }, randomName)])].filter(
  (name) => name !== "*" && name !== "id",
);

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

let own: OwnTables;
beforeAll(async () => {
  own = await startOwnTables(`
    create table api."odd, table" (id uuid primary key, ${names.map((name) => `${quoted(name)} text`).join(", ")});
    create table api.parents ("limit" uuid primary key, "a.b" bigint);
    create table api.children (
      "order" uuid,
      "x,y" text,
      "say ""hi""" uuid constraint "odd.fk" references api.parents,
      primary key ("order", "x,y")
    );
    grant all on api."odd, table", api.parents, api.children to authenticated;
    create function api."odd, function"("limit" text) returns text language sql as 'select $1';
    grant execute on function api."odd, function" to authenticated;
  `);
});
afterAll(() => own.api.stop());

test(`Every legal name of a column works everywhere (seed ${seed})`, async () => {
  const { db } = await own.start();
  const table = db.table("odd, table");
  const row = await table.create(Object.fromEntries(names.map((name) => [name, "b"])));
  const other = await table.create({});
  for (const name of names) {
    const context = JSON.stringify(name);
    const found = async (options: object) => getIds((await table.list(options)).items);
    expect(row[name], context).toBe("b");
    expect(await found({ where: { [name]: "b" } }), context).toEqual([row.id]);
    expect(await found({ where: { [name]: null } }), context).toEqual([other.id]);
    expect(await found({ where: { [name]: { not: "b" } } }), context).toEqual([]);
    expect(await found({ where: { [name]: { in: ["a,", "b"] } } }), context).toEqual([row.id]);
    expect(await found({ search: { text: "B", in: [name, names[0]] } }), context).toEqual([row.id]);
    const sorted = await collect(table.all({ sort: { by: name }, pageSize: 1 }));
    expect(getIds(sorted), context).toEqual([row.id, other.id]);
    expect(await table.update(row.id, { [name]: "b" }), context).toEqual(row);
  }
  expect(await table.count({ where: Object.fromEntries(names.map((name) => [name, "b"])) })).toBe(
    1,
  );
  await table.delete(row.id);
}, 120_000);

test("Odd names of keys, tables, foreign keys and functions work, too", async () => {
  const { db } = await own.start();
  const parent = await db.parents.create({ "a.b": "9007199254740993" });
  const child = { order: parent.limit, "x,y": 'a "b", c', 'say "hi"': parent.limit };
  await db.children.create(child);
  expect(await db.children.get(child, { with: { "the parent": "odd.fk" } })).toEqual({
    ...child,
    "the parent": { limit: parent.limit, "a.b": "9007199254740993" },
  });
  expect(await collect(db.children.all({ with: ["parents"], pageSize: 1 }))).toHaveLength(1);
  await db.children.update(child, { 'say "hi"': null });
  await db.children.delete(child);
  expect(await db.children.count()).toBe(0);
  expect(await db.rpc("odd, function", { limit: "a" })).toBe("a");
});
