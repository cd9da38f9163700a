import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Home } from "./home.ts";

/** What a running stack writes into its home, for the commands that come after it. */
const stateSchema = z.object({
  pid: z.number(),
  /** The home that it is of: a copy has the same text, and none of the servers. */
  home: z.string(),
  /** The socket that shows whether the stack is still there (alive.ts): process ids are used again. */
  socket: z.string(),
  startedAt: z.string(),
  apiUrl: z.string().optional(),
  /** The address of the sign-in service on this machine, where it runs. */
  signInUrl: z.string().optional(),
  /** The identity provider whose keys the stack fetches. */
  provider: z.string().optional(),
  databasePort: z.number().optional(),
  /** The processes of the servers that run, by the name of the program. */
  servers: z.record(z.string(), z.object({ pid: z.number(), start: z.string().nullable() })),
});

/** The state of a stack. */
export type State = z.infer<typeof stateSchema>;

/** What the last stack in a home wrote, whether it still runs or not; undefined when nothing can be read. */
export function readState(home: Home): State | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(home.stateFile, "utf8")));
  } catch {
    return undefined; // None there, or a file that a full disk or a hand cut short.
  }
}

/** What a home's folder keeps when it is moved, and a copy does not have. */
export function homeId({ dir }: Pick<Home, "dir">): string {
  const { dev, ino } = statSync(dir);
  return `${dev}:${ino}`;
}

/**
 * Replaces the state in one step: a reader finds the old one or the new one. On a full disk it is
 * written over the old one, which needs no space: a server can be started again there.
 */
export function writeState(home: Home, state: State): void {
  const draft = `${home.stateFile}.new`;
  const text = JSON.stringify(state);
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, home.stateFile);
  } catch (error) {
    rmSync(draft, { force: true });
    if (!existsSync(home.stateFile)) throw error;
    // Blanks at the end are JSON, too: nothing of a longer old state stays.
    writeFileSync(home.stateFile, text.padEnd(statSync(home.stateFile).size), { flag: "r+" });
  }
}
