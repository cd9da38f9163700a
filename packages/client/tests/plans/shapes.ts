import type { Rowhouse } from "../../../../client/index.ts";
import type { Budget } from "./budget.ts";

/** A call of the client, and what it may cost for a user with so many tasks. */
export interface Shape {
  readonly name: string;
  readonly call: (db: Rowhouse, task: string) => Promise<unknown>;
  readonly budget: (tasks: number) => Budget;
}

const limit = 20;
/** What a page may read and sort: also all of a short list, which is no dearer than an index. */
const page = (): Budget => ({ rows: 105, small: ["users"] });
const one = (): Budget => ({ rows: 5, small: ["users"] });
/** All that is theirs: it is counted, or searched in. */
const all = (tasks: number): Budget => ({ rows: tasks + 5 });

/** The page behind a row, without reading those before it. */
async function readNextPage(db: Rowhouse, task: string, sort: object = {}) {
  const { next } = await db.tasks.list({ limit: 1, where: { id: { lte: task } }, ...sort });
  return db.tasks.list({ limit, after: next, ...sort });
}

/** Every shape of statement that the client has PostgREST send. */
export const shapes: readonly Shape[] = [
  { name: "a list", call: (db) => db.tasks.list({ limit }), budget: page },
  { name: "a list of one's own", call: (db) => db.tasks.list({ limit, mine: true }), budget: page },
  { name: "the next page", call: (db, task) => readNextPage(db, task), budget: page },
  {
    name: "a list, oldest first",
    call: (db) => db.tasks.list({ limit, sort: { by: "id", order: "asc" } }),
    budget: page,
  },
  {
    name: "a list with its user",
    call: (db) => db.tasks.list({ limit, with: ["users"] }),
    budget: () => ({ rows: 105 }),
  },
  {
    name: "a list by ids",
    call: (db, task) =>
      db.tasks.list({
        limit,
        where: { id: { in: [task, task.replace(/.$/, (end) => (end === "0" ? "1" : "0"))] } },
      }),
    budget: one,
  },
  {
    name: "a list that ends at an id",
    call: (db, task) => db.tasks.list({ limit, where: { id: { gt: task } } }),
    budget: page,
  },
  {
    name: "a search",
    call: (db) => db.tasks.list({ limit, where: { title: { contains: "needle" } } }),
    budget: all,
  },
  {
    name: "a search in several columns",
    call: (db) =>
      db.tasks.list({ limit, search: { text: "needle", in: ["title", "description"] } }),
    budget: all,
  },
  {
    name: "a list with its count",
    call: (db) => db.tasks.list({ limit, count: true }),
    budget: all,
  },
  { name: "a count", call: (db) => db.tasks.count(), budget: all },
  {
    name: "a count of some",
    call: (db) => db.tasks.count({ where: { completed: true } }),
    budget: all,
  },
  { name: "one row", call: (db, task) => db.tasks.get(task), budget: one },
  {
    name: "one row with its user",
    call: (db, task) => db.tasks.get(task, { with: ["users"] }),
    budget: one,
  },
  { name: "a new row", call: (db) => db.tasks.create({ title: "new" }), budget: one },
  {
    name: "several new rows",
    call: (db) => db.tasks.createMany([{ title: "new" }, { title: "new", completed: true }]),
    budget: one,
  },
  {
    name: "a change",
    call: (db, task) => db.tasks.update(task, { title: "changed" }),
    budget: one,
  },
  {
    name: "a deletion",
    call: async (db) => {
      const { id } = await db.tasks.create({ title: "new" });
      await db.tasks.delete(id);
    },
    budget: one,
  },
];

/** A list in another order than that of its key: it needs an index of its own. */
export const sorted: Shape = {
  name: "a list by title",
  call: (db) => db.tasks.list({ limit, sort: { by: "title" } }),
  budget: page,
};

/** Its next page. */
export const sortedNext: Shape = {
  name: "the next page by title",
  call: (db, task) => readNextPage(db, task, { sort: { by: "title" } }),
  budget: page,
};
