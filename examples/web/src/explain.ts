import { ApiError, InvalidError, StaleError } from "../../../client/index.ts";
import type { Task } from "./api.ts";

/**
 * The message for the user about an error. The constraints are in the database alone; the client
 * says which one was violated.
 *
 * @throws What is not an ApiError: a bug in this page.
 */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  if (error instanceof InvalidError && error.column === "title") {
    return "A title needs 1 to 200 characters, and not only blanks.";
  }
  const current = getCurrent(error);
  if (current) {
    const state = current.completed ? "done" : "open";
    return `Changed elsewhere meanwhile: it is “${current.title}” now, and ${state}. Do it again if you still want to.`;
  }
  return error.message;
}

/** The current task, when the error is a StaleError. */
export function getCurrent(error: unknown): Task | undefined {
  return error instanceof StaleError ? (error as StaleError<Task>).current : undefined;
}
