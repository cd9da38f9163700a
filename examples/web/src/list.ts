import { ConflictError } from "../../../client/index.ts";
import type { Person, Task } from "./api.ts";
import { createListView } from "./list-view.ts";
import { createRow, type TaskRow } from "./row.ts";
import { createWork } from "./work.ts";

const pageSize = 8;

/**
 * Shows one person's tasks, and lets them be changed.
 *
 * @param onChange Told of the tasks that are shown, whenever they change.
 */
export function mountList(
  place: HTMLElement,
  person: Person,
  onChange: (tasks: readonly Task[]) => void,
): void {
  const view = createListView(place, person);
  const work = createWork(view.section, view.problem);
  const { tasks: table } = person.db;
  let rows: readonly TaskRow[] = [];
  let next: string | undefined;
  let deleted: Task | undefined;

  /** Shows which rows there are now; those that stay keep their element, and with it the focus. */
  const hold = (now: readonly TaskRow[]) => {
    rows = now;
    view.empty.hidden = rows.length > 0;
    view.more.hidden = next === undefined;
    onChange(rows.map(({ task }) => task()));
  };

  const say = (text: string, undoable?: Task) => {
    deleted = undoable;
    view.status.textContent = text;
    view.undo.hidden = undoable === undefined;
  };

  const rowOf = (task: Task): TaskRow =>
    createRow(task, { table, changed: () => hold(rows), gone });

  /** Puts a task where the API would list it: newest first, which is by id. */
  const insert = (task: Task): TaskRow => {
    const row = rowOf(task);
    const older = rows.findIndex((each) => each.task().id < task.id);
    const at = older < 0 ? rows.length : older;
    view.rows.insertBefore(row.element, rows[at]?.element ?? null);
    hold([...rows.slice(0, at), row, ...rows.slice(at)]);
    return row;
  };

  const gone = (row: TaskRow, where: "here" | "elsewhere") => {
    const at = rows.indexOf(row);
    row.element.remove();
    hold(rows.filter((each) => each !== row));
    const { title } = row.task();
    if (where === "here") {
      say(`Deleted “${title}”.`, row.task());
      view.undo.focus();
    } else {
      say(`“${title}” was deleted elsewhere.`);
      (rows[at] ?? rows.at(-1) ?? { focus: () => view.title.focus() }).focus();
    }
  };

  const read = async (after?: string): Promise<TaskRow[]> => {
    const page = await table.list({ limit: pageSize, after });
    const shown = new Set(rows.map(({ task }) => task().id));
    const fresh = page.items.filter(({ id }) => !shown.has(id)).map(rowOf);
    view.rows.append(...fresh.map(({ element }) => element));
    next = page.next;
    hold([...rows, ...fresh]);
    return fresh;
  };

  const load = async () => {
    view.again.hidden = true;
    const done = await work(async () => {
      say("Loading …");
      // A user's very first call makes the user row that tasks belong to.
      view.email.textContent = (await person.db.me()).email;
      await read();
    });
    say("");
    view.again.hidden = done;
  };

  const more = () =>
    work(async () => {
      const fresh = await read(next);
      // The button may have gone: who came by keyboard goes on where the new rows begin.
      fresh[0]?.focus();
    });

  const add = async () => {
    const { value: title } = view.title;
    const done = await work(async () => {
      const task = await table.create({ title });
      insert(task);
      say(`Added “${task.title}”.`);
    });
    view.title.ariaInvalid = done ? null : "true";
    if (done && view.title.value === title) view.title.value = "";
  };

  /** The task comes back with the id that it had, and so to the place that it had. */
  const undo = () =>
    work(async () => {
      if (deleted === undefined) return;
      const { id, title, description, completed } = deleted;
      const row = insert(
        await table.create({ id, title, description, completed }).catch((error: unknown) => {
          // Somebody has brought it back already: then it is theirs that counts.
          if (error instanceof ConflictError) return table.get(id);
          throw error;
        }),
      );
      say(`“${title}” is back.`);
      row.focus();
    });

  view.form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
  });
  view.more.addEventListener("click", more);
  view.undo.addEventListener("click", undo);
  view.again.addEventListener("click", load);
  load();
}
