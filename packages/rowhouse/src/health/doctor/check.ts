import type { Home } from "../../stack/home.ts";
import type { Scratch } from "../../stack/scratch.ts";
import type { Settings } from "../../stack/settings.ts";
import type { State } from "../../stack/state.ts";

/** Something that is wrong or will be, or that is worth to know. */
export interface Finding {
  /** A note asks for nothing now; it does not count for the exit code. */
  readonly level: "wrong" | "note";
  /** A sentence. */
  readonly message: string;
  /** What to do about it: a sentence. */
  readonly remedy: string;
}

/** What a check may look at. */
export interface DatabaseContext {
  readonly settings: Settings;
  readonly home: Home;
  /** Of the stack that runs in the home; undefined when none does. */
  readonly state: State | undefined;
  /** The database, as its owner. */
  readonly url: string;
}

/** The same for a check that builds databases to compare with. */
export interface DoctorContext extends DatabaseContext {
  readonly scratch: Scratch;
}

/** One thing to look at; it changes nothing. */
export type Check<Context> = (context: Context) => Promise<Finding[]> | Finding[];

/** A finding that counts. */
export function wrong(message: string, remedy: string): Finding {
  return { level: "wrong", message, remedy };
}
