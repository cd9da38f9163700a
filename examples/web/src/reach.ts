import type { Person, Task } from "./api.ts";
import {
  type Answer,
  attempt,
  createUnusedId,
  type Kind,
  snapshot,
  type Target,
} from "./attempts.ts";
import { cloneTemplate, find } from "./dom.ts";
import { createWork } from "./work.ts";

/** The panel in which one person tries to access the other's row. */
export interface Reach {
  /** Sets the tasks that a person has. */
  readonly show: (person: Person, tasks: readonly Task[]) => void;
}

/** Adds the behaviour to the panel. */
export function mountReach(section: HTMLElement, people: readonly [Person, Person]): Reach {
  const parts = findParts(section);
  const work = createWork(section, parts.problem);
  const tasksByPerson = new Map<Person, readonly Task[]>();

  const roles = (): { actor: Person; owner: Person } => {
    const [alice, bob] = people;
    const bobTries = new FormData(parts.form).get("actor") === bob.key;
    return bobTries ? { actor: bob, owner: alice } : { actor: alice, owner: bob };
  };

  const draw = () => {
    const { actor, owner } = roles();
    section.dataset.person = actor.key;
    drawForm(parts, owner.name, tasksByPerson.get(owner) ?? []);
  };

  const submit = (kind: Kind) =>
    work(async () => {
      const { actor, owner } = roles();
      const { id: ownerId } = await owner.db.me();
      const before = await snapshot(owner);
      // One after the other: the two must differ only in the row.
      const there = await attempt(actor, kind, { id: parts.task.value, owner: ownerId });
      const absent = await attempt(actor, kind, createUnusedTarget());
      const untouched = (await snapshot(owner)) === before;
      const headings = getHeadings(kind, owner.name);
      parts.answers.replaceChildren(
        createAnswerElement(headings[0], there),
        createAnswerElement(headings[1], absent),
        createVerdictElement(judge({ actor, owner, there, absent, untouched })),
      );
    });

  parts.form.addEventListener("change", (event) => {
    draw();
    if (event.target !== parts.task) parts.answers.replaceChildren();
  });
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button instanceof HTMLButtonElement) submit(button.value as Kind);
  });
  draw();

  return {
    show: (person, tasks) => {
      tasksByPerson.set(person, tasks);
      draw();
    },
  };
}

type Parts = ReturnType<typeof findParts>;

function findParts(section: HTMLElement) {
  return {
    form: find(section, "form", HTMLFormElement),
    task: find(section, "select", HTMLSelectElement),
    taskLabel: find(section, ".target-label", HTMLElement),
    create: find(section, "button[value=create]", HTMLButtonElement),
    needTask: [...section.querySelectorAll<HTMLButtonElement>("button:not([value=create])")],
    problem: find(section, ".problem", HTMLElement),
    answers: find(section, ".answers", HTMLElement),
  };
}

function drawForm(parts: Parts, owner: string, tasks: readonly Task[]): void {
  const { task, needTask } = parts;
  const chosen = task.value;
  parts.taskLabel.textContent = `A task of ${owner}’s`;
  parts.create.textContent = `Create in ${owner}’s name`;
  task.replaceChildren(
    ...tasks.map(({ id, title }) => new Option(title, id, false, id === chosen)),
  );
  task.disabled = tasks.length === 0;
  if (tasks.length === 0) task.append(new Option(`${owner} has none yet`, ""));
  for (const button of needTask) button.disabled = tasks.length === 0;
}

function createUnusedTarget(): Target {
  return { id: createUnusedId(), owner: createUnusedId() };
}

function getHeadings(kind: Kind, owner: string): [string, string] {
  if (kind === "create") return [`In ${owner}’s name`, "In the name of nobody"];
  return [`${owner}’s task`, "A task that nobody has"];
}

function createAnswerElement(
  heading: string,
  { request, body, status, error }: Answer,
): HTMLElement {
  const element = cloneTemplate("answer");
  const write = (selector: string, text: string) => {
    find(element, selector, HTMLElement).textContent = text;
  };
  write("h3", heading);
  write(".request code", body ? `${request}\n${JSON.stringify(body)}` : request);
  write(".status", String(status));
  write(".thrown", error?.name ?? "nothing");
  write(".code", error?.code ?? "none");
  write(".message", error?.message ?? "It was done.");
  return element;
}

/** The results of two attempts: on a row that exists, and on one that does not. */
interface Outcome {
  readonly actor: Person;
  readonly owner: Person;
  readonly there: Answer;
  readonly absent: Answer;
  /** Whether the owner's rows are unchanged. */
  readonly untouched: boolean;
}

interface Verdict {
  readonly good: boolean;
  readonly text: string;
}

function judge({ actor, owner, there, absent, untouched }: Outcome): Verdict {
  if (there.error === undefined) {
    return { good: false, text: `${actor.name} got through: the policies are broken.` };
  }
  const same = formatAnswer(there) === formatAnswer(absent);
  const alike = same
    ? `Word for word the same answer: ${actor.name} cannot tell hidden from absent.`
    : `The answers differ: ${actor.name} can tell hidden from absent.`;
  const state = untouched ? "the same" : "changed meanwhile";
  return {
    good: same && untouched,
    text: `${alike} ${owner.name}’s rows, read before and after as ${owner.name}: ${state}.`,
  };
}

/** Everything that a caller can learn from an answer. */
function formatAnswer({ status, error }: Answer): string {
  return JSON.stringify([
    status,
    error?.name,
    error?.code,
    error?.message,
    error?.details,
    error?.hint,
  ]);
}

function createVerdictElement({ good, text }: Verdict): HTMLElement {
  const element = document.createElement("p");
  element.className = good ? "verdict" : "verdict broken";
  element.textContent = text;
  return element;
}
