import { explain } from "./explain.ts";

/** Runs something that calls the API. Resolves with whether it went well. */
export type Work = (work: () => Promise<void>) => Promise<boolean>;

/**
 * Makes a runner for a part of the page: one work at a time, marked as busy while it lasts, and
 * with its failure, if any, in words.
 */
export function createWork(part: HTMLElement, problem: HTMLElement): Work {
  return async (work) => {
    if (part.ariaBusy === "true") return false;
    part.ariaBusy = "true";
    problem.textContent = "";
    try {
      await work();
      return true;
    } catch (error) {
      problem.textContent = explain(error);
      return false;
    } finally {
      part.ariaBusy = null;
    }
  };
}
