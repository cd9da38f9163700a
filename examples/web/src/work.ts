import { explain } from "./explain.ts";

/** Runs something that calls the API. Resolves with whether it succeeded. */
export type Work = (work: () => Promise<void>) => Promise<boolean>;

/**
 * Makes a runner for a part of the page: it runs one function at a time, marks the part as busy
 * meanwhile, and shows an error message.
 *
 * @param toText What to say about an error.
 */
export function createWork(part: HTMLElement, problem: HTMLElement, toText = explain): Work {
  return async (work) => {
    if (part.ariaBusy === "true") return false;
    part.ariaBusy = "true";
    problem.textContent = "";
    try {
      await work();
      return true;
    } catch (error) {
      problem.textContent = toText(error);
      return false;
    } finally {
      part.ariaBusy = null;
    }
  };
}
