import type { Caller } from "../../src/testing/api.ts";
import type { Backend, TestRow } from "../../src/testing/backend.ts";
import { createRows, newId } from "../../src/testing/requests.ts";

export { type Backend, startBackend } from "../../src/testing/backend.ts";
export {
  errorAnswer as refusal,
  newId,
  oneRow as object,
  readRows as rowsOf,
  returnRows as full,
} from "../../src/testing/requests.ts";

/** Any row, as JSON. */
export type Row = TestRow;

/** All that is stored: to see that a request changed nothing. */
export async function everything({ sql }: Backend): Promise<Row[]> {
  return sql(`
    select 'user' as kind, to_jsonb(u) as value from api.users u
    union all
    select 'task', to_jsonb(t) from api.tasks t
    order by kind, value
  `);
}

/** Creates tasks and returns their rows. */
export async function addTasks(user: Caller, ...tasks: Row[]): Promise<Row[]> {
  return createRows(user, "/tasks", ...tasks.map((task) => ({ id: newId(), ...task })));
}

/** Creates one task and returns its row. */
export async function addTask(user: Caller, task: Row = { title: "a task" }): Promise<Row> {
  return (await addTasks(user, task))[0] ?? {};
}
