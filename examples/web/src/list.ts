import { ConflictError } from "../../../client/index.ts";
import type { Person, Task } from "./api.ts";
import { createListView } from "./list-view.ts";
import { createRow, type TaskRow } from "./row.ts";
import { createWork } from "./work.ts";

const pageSize = 8;

/**
 * Shows one person's tasks, with controls to change them.
 *
 * @param onChange Called with the tasks shown, whenever they change.
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

  /** Shows these rows; those that stay keep their element, and with it the focus. */
  const setRows = (newRows: readonly TaskRow[]) => {
    rows = newRows;
    view.empty.hidden = rows.length > 0;
    view.more.hidden = next === undefined;
    onChange(rows.map(({ task }) => task()));
  };

  const showStatus = (text: string, undoable?: Task) => {
    deleted = undoable;
    view.status.textContent = text;
    view.undo.hidden = undoable === undefined;
  };

  const createTaskRow = (task: Task): TaskRow =>
    createRow(task, { table, changed: () => setRows(rows), gone });

  /** Puts a task where the API would list it: newest first, which is by id. */
  const insert = (task: Task): TaskRow => {
    const row = createTaskRow(task);
    const older = rows.findIndex((each) => each.task().id < task.id);
    const at = older < 0 ? rows.length : older;
    view.rows.insertBefore(row.element, rows[at]?.element ?? null);
    setRows([...rows.slice(0, at), row, ...rows.slice(at)]);
    return row;
  };

  const gone = (row: TaskRow, where: "here" | "elsewhere") => {
    const at = rows.indexOf(row);
    row.element.remove();
    setRows(rows.filter((each) => each !== row));
    const { title } = row.task();
    if (where === "here") {
      showStatus(`Deleted “${title}”.`, row.task());
      view.undo.focus();
    } else {
      showStatus(`“${title}” was deleted elsewhere.`);
      (rows[at] ?? rows.at(-1) ?? { focus: () => view.title.focus() }).focus();
    }
  };

  const read = async (after?: string): Promise<TaskRow[]> => {
    const page = await table.list({ limit: pageSize, after });
    const shown = new Set(rows.map(({ task }) => task().id));
    const fresh = page.items.filter(({ id }) => !shown.has(id)).map(createTaskRow);
    view.rows.append(...fresh.map(({ element }) => element));
    next = page.next;
    setRows([...rows, ...fresh]);
    return fresh;
  };

  const load = async () => {
    view.again.hidden = true;
    const done = await work(async () => {
      showStatus("Loading …");
      // The first call of a user creates the user row that tasks reference.
      view.email.textContent = (await person.db.me()).email;
      await read();
    });
    showStatus("");
    view.again.hidden = done;
  };

  const more = () =>
    work(async () => {
      const fresh = await read(next);
      // The button may be gone: keyboard users continue at the first new row.
      fresh[0]?.focus();
    });

  const add = async () => {
    const { value: title } = view.title;
    const done = await work(async () => {
      const task = await table.create({ title });
      insert(task);
      showStatus(`Added “${task.title}”.`);
    });
    view.title.ariaInvalid = done ? null : "true";
    if (done && view.title.value === title) view.title.value = "";
  };

  /** Creates the task again with its old id, and so in its old place. */
  const undo = () =>
    work(async () => {
      if (deleted === undefined) return;
      const { id, title, description, completed } = deleted;
      const row = insert(
        await table.create({ id, title, description, completed }).catch((error: unknown) => {
          // It was created again elsewhere: show that one.
          if (error instanceof ConflictError) return table.get(id);
          throw error;
        }),
      );
      showStatus(`“${title}” is back.`);
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
