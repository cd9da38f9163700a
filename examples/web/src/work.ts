import { explain } from "./explain.ts";

/** Runs something that calls the API. Resolves with whether it succeeded. */
export type Work = (work: () => Promise<void>) => Promise<boolean>;

/**
 * Makes a runner for a part of the page: it runs one function at a time, marks the part as busy
 * meanwhile, and shows an error message.
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
