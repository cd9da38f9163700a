import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Tables, Where } from "../../../client/index.ts";
import { failure, getIds, type Session, startSession, type TaskTypes } from "./session.ts";
import { type Backend, newId, newSeed, randomly, startBackend } from "./support.ts";

let api: Backend;
let alice: Session;
beforeAll(async () => {
  api = await startBackend(
    {},
    `
    alter table api.tasks add column note text;
    grant select (note), insert (note), update (note) on api.tasks to authenticated;
  `,
  );
});
afterAll(() => api.stop());
beforeEach(async () => {
  alice = await startSession(api);
});

/** What user text is put together from. Only ASCII letters come in upper and lower case. */
const pieces = [
  ..."\"'`,;.:()[]{}<>%_*+-?^$|&=#@!~/\\ \n\t",
  "***=",
  "or(",
  "and(title.eq.",
  "not.is.null",
  "eq.",
  "in.(",
  '","',
  '")',
  "\\\\",
  '\\"',
  "null",
  "true",
  "%2C",
  "%",
  "(?i)",
  "[[:alpha:]]",
  "\\d",
  "--",
  "$1",
  "user_id",
  "a",
  "B",
  "abc",
  "ABC",
  "7",
  "😀",
  "👩‍👩‍👧",
  "x\u0301",
  "שלום",
  "مرحبا",
  "\u202e",
  "漢字",
] as const;

/** Random whole numbers from 0 up to a bound, the same for the same seed. */
function createRandom(seed: number): (bound: number) => number {
  const random = randomly(seed);
  return (bound) => Math.floor(random() * bound);
}

type Random = ReturnType<typeof createRandom>;

const oneOf = <V>(random: Random, values: readonly V[]): V => values[random(values.length)] as V;

const randomText = (random: Random): string =>
  Array.from({ length: random(6) }, () => oneOf(random, pieces)).join("");

const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const holds = (text: string, part: string) => lower(text).includes(lower(part));

type Task = Tables<"tasks">;
const columns = ["title", "description"] as const;

/** One question, and which rows answer it. */
interface Question {
  readonly where?: Where<TaskTypes>;
  readonly search?: { readonly text: string; readonly in: readonly ("title" | "description")[] };
  readonly meets: (task: Task) => boolean;
}

/** A text that may be there: one of a row, a part of one, or any. */
function wantedText(random: Random, tasks: readonly Task[]): string {
  const stored = oneOf(random, tasks)[oneOf(random, columns)];
  const chars = [...stored];
  const from = random(chars.length + 1);
  const part = chars.slice(from, from + 1 + random(4)).join("");
  return oneOf(random, [stored, part, randomText(random)]);
}

function randomQuestion(random: Random, tasks: readonly Task[]): Question {
  const by = oneOf(random, columns);
  const text = wantedText(random, tasks);
  const list = [text, ...Array.from({ length: random(4) }, () => wantedText(random, tasks))];
  return oneOf<() => Question>(random, [
    () => ({ where: { [by]: text }, meets: (task) => task[by] === text }),
    () => ({ where: { [by]: { eq: text } }, meets: (task) => task[by] === text }),
    () => ({ where: { [by]: { neq: text } }, meets: (task) => task[by] !== text }),
    () => ({ where: { [by]: { in: list } }, meets: (task) => list.includes(task[by]) }),
    () => ({ where: { [by]: { contains: text } }, meets: (task) => holds(task[by], text) }),
    () => ({ search: { text, in: [by] }, meets: (task) => holds(task[by], text) }),
    () => ({
      search: { text, in: columns },
      meets: (task) => columns.some((column) => holds(task[column], text)),
    }),
    () => ({
      where: { [by]: { contains: text }, completed: true },
      search: { text, in: columns },
      meets: (task) => task.completed && holds(task[by], text),
    }),
  ])();
}

const seed = newSeed();

describe(`A user's text (TEST_SEED=${seed})`, () => {
  const random = createRandom(seed);
  const fill = () =>
    alice.db.tasks.createMany(
      Array.from({ length: 60 }, () => ({
        title: `${randomText(random)}t${randomText(random)}`,
        description: randomText(random),
        completed: random(2) === 0,
      })),
    );

  test("is stored and read as it is, in every row", async () => {
    const rows = await fill();
    const wanted = JSON.parse(String(alice.proxy.requests[0]?.body));
    expect(rows).toMatchObject(wanted);
  });

  test("is never filter syntax: 400 questions find what JavaScript finds", async () => {
    const tasks = await fill();
    for (let turn = 0; turn < 400; turn += 1) {
      const { meets, ...question } = randomQuestion(random, tasks);
      const { items } = await alice.db.tasks.list({ ...question, limit: 100 });
      const wanted = getIds(tasks.filter(meets)).sort().reverse();
      expect(getIds(items), JSON.stringify(question)).toEqual(wanted);
    }
  });

  test.each([
    ["gt", ">"],
    ["gte", ">="],
    ["lt", "<"],
    ["lte", "<="],
  ] as const)("compares by %s as in SQL", async (operator, sign) => {
    const tasks = await fill();
    for (let turn = 0; turn < 25; turn += 1) {
      const text = wantedText(random, tasks);
      const where = { description: { [operator]: text } };
      const { items } = await alice.db.tasks.list({ where, limit: 100 });
      const rows = await api.sql(
        `select id from api.tasks where user_id = $1 and description ${sign} $2 order by id desc`,
        [alice.id, text],
      );
      expect(getIds(items), JSON.stringify(where)).toEqual(rows.map(({ id }) => id));
    }
  });
});

describe("A user's conditions", () => {
  const titles = async (where: Where<TaskTypes>) =>
    (await alice.db.tasks.list({ where, sort: { by: "title" } })).items.map(({ title }) => title);

  beforeEach(async () => {
    await alice.db.tasks.createMany([
      { title: "a", description: "one" },
      { title: "b", description: "two", completed: true },
      { title: "c", description: "one", completed: true },
    ]);
  });

  test.each<[Where<TaskTypes>, string[]]>([
    [{}, ["a", "b", "c"]],
    [{ completed: true }, ["b", "c"]],
    [{ completed: { eq: false } }, ["a"]],
    [{ completed: { neq: false } }, ["b", "c"]],
    [{ completed: { in: [true, false] } }, ["a", "b", "c"]],
    [{ title: { in: [] } }, []],
    [{ title: { gt: "a", lt: "c" } }, ["b"]],
    [{ title: { gte: "a", lte: "b" } }, ["a", "b"]],
    [{ title: { neq: "b" }, description: "one" }, ["a", "c"]],
    [{ completed: true, description: { contains: "ON" } }, ["c"]],
    [{ title: { contains: "" } }, ["a", "b", "c"]],
  ])("must all hold: %j", async (where, wanted) => {
    expect(await titles(where)).toEqual(wanted);
  });

  test("that are undefined are none", async () => {
    const where = { title: undefined, completed: { eq: undefined } } as unknown as Where<TaskTypes>;
    expect(await titles(where)).toEqual(["a", "b", "c"]);
  });

  // PostgREST would end the text there, and find what stands before it.
  test("with a character that no text can hold are an InvalidError, and not cut short", async () => {
    const { tasks } = alice.db;
    const [a] = (await tasks.list()).items;
    const nul = (text = "a") => `${text}\u0000b`;
    const calls = [
      () => tasks.list({ where: { title: nul() } }),
      () => tasks.count({ where: { title: { in: [nul()] } } }),
      () => tasks.list({ where: { title: { contains: nul("") } } }),
      () => tasks.list({ search: { text: nul(""), in: ["title"] } }),
      () => tasks.get(nul(a?.id)),
      () => tasks.update(nul(a?.id), { title: "changed" }),
      () => tasks.delete(nul(a?.id)),
      async () => alice.db.rest.from("tasks").delete().eq("title", nul()).throwOnError(),
    ];
    for (const call of calls) expect(await failure(call())).toMatchObject({ name: "InvalidError" });
    expect(await titles({})).toEqual(["a", "b", "c"]);
  });

  test("on time compare moments", async () => {
    expect(await titles({ created_at: { gte: "2020-01-01T02:00:00+02:00" } })).toHaveLength(3);
    expect(await titles({ created_at: { lt: "2020-01-01" } })).toEqual([]);
  });

  test("reach no other user's rows", async () => {
    const bob = await startSession(api);
    await bob.db.tasks.create({ title: "of bob" });
    expect(await titles({ user_id: bob.id })).toEqual([]);
    expect(await titles({ user_id: { in: [alice.id, bob.id] } })).toEqual(["a", "b", "c"]);
    const search = { text: `") or user_id.eq.${bob.id}`, in: ["title"] as const };
    expect((await alice.db.tasks.list({ search })).items).toEqual([]);
  });
});

test("A user's conditions on a column that may be null tell null from a text", async () => {
  const [none, empty, text] = [newId(), newId(), newId()];
  await api.sql(
    "insert into api.tasks (user_id, id, title, note) values ($1, $2, 't', null), ($1, $3, 't', ''), ($1, $4, 't', 'null')",
    [alice.id, none, empty, text],
  );
  // The column is not in the generated types: it is of this test's database alone.
  const found = async (note: unknown) =>
    getIds((await alice.db.tasks.list({ where: { note } as Where<TaskTypes> })).items).sort();
  expect(await found(null)).toEqual([none]);
  expect(await found({ eq: null })).toEqual([none]);
  expect(await found({ neq: null })).toEqual([empty, text].sort());
  expect(await found("null")).toEqual([text]);
  expect(await found("")).toEqual([empty]);
  expect(await found({ in: ["null", ""] })).toEqual([empty, text].sort());
});
