import source from "./templates.html?raw";

/**
 * The element that a selector finds.
 *
 * @throws Error when there is none of that type: the page and the code do not match.
 */
export function find<E extends Element>(
  root: ParentNode,
  selector: string,
  type: abstract new () => E,
): E {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`There is no ${type.name} at ${selector}.`);
}

const templates = new DOMParser().parseFromString(source, "text/html");

/** A copy of the content of a template in templates.html. */
export function cloneTemplate(template: string): HTMLElement {
  const { content } = find(templates, `template#${template}`, HTMLTemplateElement);
  return find(document.importNode(content, true), "*", HTMLElement);
}

/** Associates a message with its field, for screen readers. */
export function describe(field: HTMLElement, message: HTMLElement, id: string): void {
  message.id = id;
  field.setAttribute("aria-describedby", id);
}
