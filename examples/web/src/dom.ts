/**
 * The element that a selector finds.
 *
 * @throws Error when there is none of that type: the page and its code do not match.
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

/** A copy of what a template of index.html holds. */
export function copyOf(template: string): HTMLElement {
  const { content } = find(document, `template#${template}`, HTMLTemplateElement);
  return find(document.importNode(content, true), "*", HTMLElement);
}

/** Ties a message to the field that it is about, for those who cannot see that it stands below. */
export function describe(field: HTMLElement, message: HTMLElement, id: string): void {
  message.id = id;
  field.setAttribute("aria-describedby", id);
}
