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

/** A new element with these properties and this content. */
export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  properties: Partial<HTMLElementTagNameMap[T]>,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[T] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

/** Calls back with what a form holds, in place of sending it. */
export function onSubmit(form: HTMLFormElement, callback: (values: FormData) => void): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    callback(new FormData(form));
  });
}
