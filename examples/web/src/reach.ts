import type { Person, Task } from "./api.ts";
import { type Answer, attempt, idOfNobody, type Kind, snapshot, type Target } from "./attempts.ts";
import { copyOf, find } from "./dom.ts";
import { createWork } from "./work.ts";

/** The panel in which one person tries to reach the other's row. */
export interface Reach {
  /** Tells the panel which tasks a person has. */
  readonly show: (person: Person, tasks: readonly Task[]) => void;
}

/** Brings the panel to life. */
export function mountReach(section: HTMLElement, people: readonly [Person, Person]): Reach {
  const parts = partsOf(section);
  const work = createWork(section, parts.problem);
  const tasksOf = new Map<Person, readonly Task[]>();

  const roles = (): { actor: Person; owner: Person } => {
    const [alice, bob] = people;
    const bobTries = new FormData(parts.form).get("actor") === bob.key;
    return bobTries ? { actor: bob, owner: alice } : { actor: alice, owner: bob };
  };

  const draw = () => {
    const { actor, owner } = roles();
    section.dataset.person = actor.key;
    drawForm(parts, owner.name, tasksOf.get(owner) ?? []);
  };

  const submit = (kind: Kind) =>
    work(async () => {
      const { actor, owner } = roles();
      const { id: ownerId } = await owner.db.me();
      const before = await snapshot(owner);
      // One by one: the two must differ in nothing but the row.
      const there = await attempt(actor, kind, { id: parts.task.value, owner: ownerId });
      const absent = await attempt(actor, kind, nobody());
      const untouched = (await snapshot(owner)) === before;
      const headings = headingsOf(kind, owner.name);
      parts.answers.replaceChildren(
        answerElement(headings[0], there),
        answerElement(headings[1], absent),
        verdictElement(verdictOf({ actor, owner, there, absent, untouched })),
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
      tasksOf.set(person, tasks);
      draw();
    },
  };
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(section: HTMLElement) {
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

function nobody(): Target {
  return { id: idOfNobody(), owner: idOfNobody() };
}

function headingsOf(kind: Kind, owner: string): [string, string] {
  if (kind === "create") return [`In ${owner}’s name`, "In the name of nobody"];
  return [`${owner}’s task`, "A task that nobody has"];
}

function answerElement(heading: string, { request, body, status, error }: Answer): HTMLElement {
  const element = copyOf("answer");
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

/** What an attempt has shown. */
interface Outcome {
  readonly actor: Person;
  readonly owner: Person;
  readonly there: Answer;
  readonly absent: Answer;
  /** Whether the owner's rows are what they were. */
  readonly untouched: boolean;
}

interface Verdict {
  readonly good: boolean;
  readonly text: string;
}

function verdictOf({ actor, owner, there, absent, untouched }: Outcome): Verdict {
  if (there.error === undefined) {
    return { good: false, text: `${actor.name} got through: the policies are broken.` };
  }
  const same = wordsOf(there) === wordsOf(absent);
  const alike = same
    ? `Word for word the same answer: ${actor.name} cannot tell hidden from absent.`
    : `The answers differ: ${actor.name} can tell hidden from absent.`;
  const state = untouched ? "the same" : "changed meanwhile";
  return {
    good: same && untouched,
    text: `${alike} ${owner.name}’s rows, read before and after as ${owner.name}: ${state}.`,
  };
}

/** All that an answer lets its reader know. */
function wordsOf({ status, error }: Answer): string {
  return JSON.stringify([
    status,
    error?.name,
    error?.code,
    error?.message,
    error?.details,
    error?.hint,
  ]);
}

function verdictElement({ good, text }: Verdict): HTMLElement {
  const element = document.createElement("p");
  element.className = good ? "verdict" : "verdict broken";
  element.textContent = text;
  return element;
}
