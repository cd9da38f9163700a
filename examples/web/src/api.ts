import type { Rowhouse, Tables } from "../../../client/index.ts";

/** A task, as the database has it. */
export type Task = Tables<"tasks">;

/** A user who is signed in on this page. */
export interface Person {
  readonly key: string;
  readonly name: string;
  /** The client that sends their token. */
  readonly db: Rowhouse;
}

/** The dev server sets it (page.ts); a build takes VITE_API_URL from its environment. */
export const apiUrl: string = import.meta.env.VITE_API_URL ?? "http://127.0.0.1:3000";
