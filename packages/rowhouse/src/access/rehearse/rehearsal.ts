import type { Change } from "./changes.ts";
import type { Tally } from "./count.ts";
import type { FunctionChange } from "./functions.ts";

/** What a change does to one person. */
interface Effect extends Tally {
  readonly who: string;
  /** Null for anonymous and a new user. */
  readonly userId: string | null;
}

/** A change, and what it does to whom. */
export interface RehearsedChange extends Change {
  /** One for each checked caller; empty when there is nothing to compare, or no way to. */
  readonly effects: readonly Effect[];
  /** Whether the table holds no row to show it on. */
  readonly isEmpty: boolean;
}

/** The result of `rowhouse rehearse`. */
export interface Rehearsal {
  readonly changes: readonly RehearsedChange[];
  readonly functions: readonly FunctionChange[];
  /** How many users were checked, and how many there are. */
  readonly users: { readonly sampled: number; readonly total: number };
  /** Whether a caller gains an existing row or column. */
  readonly gains: boolean;
  /** Whether the effect of a change is unknown. */
  readonly unclear: boolean;
}

/** Sorts changes in the order of others. */
export function compareByOrder(changes: readonly Change[]) {
  const place = ({ table, role, action }: Change) =>
    changes.findIndex((one) => one.table === table && one.role === role && one.action === action);
  return (a: Change, b: Change) => place(a) - place(b);
}

/** Puts a rehearsal together. */
export function summarize(
  changes: readonly RehearsedChange[],
  functions: readonly FunctionChange[],
  users: Rehearsal["users"],
): Rehearsal {
  return {
    changes,
    functions,
    users,
    gains: changes.some(
      ({ effects, columnsGained }) =>
        columnsGained.length > 0 || effects.some(({ gained }) => gained > 0),
    ),
    unclear: functions.length > 0 || changes.some(({ obstacle }) => obstacle !== null),
  };
}
