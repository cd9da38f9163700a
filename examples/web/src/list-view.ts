import type { Person } from "./api.ts";
import { cloneTemplate, describe, find } from "./dom.ts";

/** Puts an empty list of a person on the page, and returns its elements. */
export function createListView(place: HTMLElement, { key, name }: Person) {
  const section = cloneTemplate("list");
  const heading = find(section, "h2", HTMLElement);
  section.dataset.person = key;
  section.setAttribute("aria-labelledby", `heading-${key}`);
  heading.id = `heading-${key}`;
  heading.textContent = name;
  find(section, ".initial", HTMLElement).textContent = name.charAt(0);
  find(section, ".add label span", HTMLElement).textContent = `New task for ${name}`;

  const view = {
    section,
    email: find(section, ".email", HTMLElement),
    form: find(section, ".add", HTMLFormElement),
    title: find(section, ".add input", HTMLInputElement),
    problem: find(section, ".problem", HTMLElement),
    status: find(section, "[role=status]", HTMLElement),
    undo: find(section, ".undo", HTMLButtonElement),
    rows: find(section, ".rows", HTMLElement),
    empty: find(section, ".empty", HTMLElement),
    again: find(section, ".again", HTMLButtonElement),
    more: find(section, ".more", HTMLButtonElement),
  };
  describe(view.title, view.problem, `problem-${key}`);
  place.append(section);
  return view;
}
