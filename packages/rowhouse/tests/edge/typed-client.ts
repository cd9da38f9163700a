import { join } from "node:path";
import { projectRoot } from "../support/project.ts";

/** A row of tasks, as far as it is used here. */
interface Task {
  readonly id: string;
  readonly title: string;
  readonly completed: boolean;
}

/** The typed client of the project, as far as it is used here. */
export interface Rowhouse {
  readonly tasks: {
    readonly create: (row: { title: string }) => Promise<Task>;
    readonly createMany: (rows: readonly { title: string }[]) => Promise<Task[]>;
    readonly update: (id: string, changes: { completed: boolean }) => Promise<Task>;
    readonly list: (query: { limit: number }) => Promise<unknown>;
    readonly all: () => AsyncIterable<Task>;
  };
}

interface ClientOptions {
  readonly url: string;
  readonly token: () => Promise<string>;
  readonly timeout?: number;
  readonly retry?: Record<"attempts" | "baseMs" | "minMs" | "maxMs", number>;
}

/** Makes a client of the project that the tests run in: its code belongs to another package. */
export const { createRowhouse } = (await import(join(projectRoot, "client/index.ts"))) as {
  createRowhouse: (options: ClientOptions) => Rowhouse;
};
