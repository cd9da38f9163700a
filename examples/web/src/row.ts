import { NotFoundError, type Rowhouse } from "../../../client/index.ts";
import type { Task } from "./api.ts";
import { cloneTemplate, describe, find } from "./dom.ts";
import { getCurrent } from "./explain.ts";
import { createWork } from "./work.ts";

/** A task on the page. */
export interface TaskRow {
  readonly element: HTMLElement;
  /** The task as it was last read. */
  readonly task: () => Task;
  readonly focus: () => void;
}

/** What a row needs, and what it calls when it changes. */
export interface RowHost {
  readonly table: Rowhouse["tasks"];
  readonly changed: (row: TaskRow) => void;
  /** The task was deleted, here or elsewhere. */
  readonly gone: (row: TaskRow, where: "here" | "elsewhere") => void;
}

/** Shows a task, with controls to tick, rename and delete it. */
export function createRow(first: Task, { table, changed, gone }: RowHost): TaskRow {
  const parts = findParts(cloneTemplate("row"), first.id);
  const { element, box, view, editor, input } = parts;
  const work = createWork(element, parts.problem);
  let task = first;
  const row: TaskRow = { element, task: () => task, focus: () => box.focus() };

  const take = (now: Task) => {
    task = now;
    show(parts, task);
    changed(row);
  };

  /** Sends a change. What it learns about the task is shown, also when it fails. */
  const attempt = (change: () => Promise<void>) =>
    work(async () => {
      try {
        await change();
      } catch (error) {
        if (error instanceof NotFoundError) return gone(row, "elsewhere");
        const current = getCurrent(error);
        if (current) take(current);
        throw error;
      }
    });

  const edit = (open: boolean) => {
    view.hidden = open;
    editor.hidden = !open;
    parts.problem.textContent = "";
    input.ariaInvalid = null;
    if (!open) return parts.rename.focus();
    input.value = task.title;
    input.select();
    input.focus();
  };

  const tick = async () => {
    const completed = box.checked;
    await attempt(async () => take(await table.update(task.id, { completed })));
    box.checked = task.completed;
  };

  const rename = async () => {
    const title = input.value;
    // A title that was changed elsewhere is not overwritten.
    const ifMatch = task.updated_at;
    const done = await attempt(async () =>
      take(await table.update(task.id, { title }, { ifMatch })),
    );
    if (done) edit(false);
    else input.ariaInvalid = "true";
  };

  const remove = () =>
    attempt(async () => {
      await table.delete(task.id, { ifMatch: task.updated_at });
      gone(row, "here");
    });

  box.addEventListener("click", (event) => {
    if (element.ariaBusy === "true") event.preventDefault();
  });
  box.addEventListener("change", tick);
  parts.rename.addEventListener("click", () => edit(true));
  parts.remove.addEventListener("click", remove);
  parts.cancel.addEventListener("click", () => edit(false));
  editor.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") edit(false);
  });
  editor.addEventListener("submit", (event) => {
    event.preventDefault();
    rename();
  });

  show(parts, task);
  return row;
}

type Parts = ReturnType<typeof findParts>;

function findParts(element: HTMLElement, id: string) {
  const parts = {
    element,
    view: find(element, ".view", HTMLElement),
    box: find(element, "input[type=checkbox]", HTMLInputElement),
    title: find(element, ".title", HTMLElement),
    rename: find(element, "button.rename", HTMLButtonElement),
    remove: find(element, "button.delete", HTMLButtonElement),
    editor: find(element, ".editor", HTMLFormElement),
    input: find(element, ".editor input", HTMLInputElement),
    cancel: find(element, ".cancel", HTMLButtonElement),
    problem: find(element, ".problem", HTMLElement),
  };
  describe(parts.input, parts.problem, `problem-${id}`);
  return parts;
}

function show({ title, box, rename, remove }: Parts, task: Task): void {
  title.textContent = task.title;
  box.checked = task.completed;
  for (const [button, verb] of [
    [rename, "Rename"],
    [remove, "Delete"],
  ] as const) {
    button.ariaLabel = `${verb} ${task.title}`;
    button.title = verb;
  }
}
