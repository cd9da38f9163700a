import { ApiError, InvalidError, StaleError } from "../../../client/index.ts";
import type { Task } from "./api.ts";

/**
 * What a failure means, for the person in front of the page. The rules stand in the database
 * alone; the client says which one was broken, and here it is put into words.
 *
 * @throws What is no failure of the API, but a fault in this page.
 */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  if (error instanceof InvalidError && error.column === "title") {
    return "A title needs 1 to 200 characters, and not only blanks.";
  }
  const current = currentIn(error);
  if (current) {
    const state = current.completed ? "done" : "open";
    return `Changed elsewhere meanwhile: it is “${current.title}” now, and ${state}. Do it again if you still want to.`;
  }
  return error.message;
}

/** The task as it is now, when a change came too late. */
export function currentIn(error: unknown): Task | undefined {
  return error instanceof StaleError ? (error as StaleError<Task>).current : undefined;
}
