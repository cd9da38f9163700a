import { describe, find } from "./dom.ts";
import { explainAuth } from "./explain-auth.ts";
import { createWork } from "./work.ts";

/** Makes a form send its fields, one at a time, and show what is wrong. */
export function mountForm(
  form: HTMLFormElement,
  submit: (fields: Readonly<Record<string, string>>) => Promise<void>,
): void {
  const problem = find(form, ".problem", HTMLElement);
  const work = createWork(form, problem, explainAuth);
  const inputs = [...form.querySelectorAll("input")];
  for (const input of inputs) describe(input, problem, `problem-${form.id || "account"}`);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(inputs.map(({ name, value }) => [name, value]));
    work(async () => {
      await submit(fields);
      for (const input of inputs) if (input.type === "password") input.value = "";
    });
  });
}

/** Empties what a form shows, and its passwords. */
export function clearForm(form: HTMLElement): void {
  find(form, ".problem", HTMLElement).textContent = "";
  for (const input of form.querySelectorAll("input")) {
    if (input.type === "password") input.value = "";
  }
}
