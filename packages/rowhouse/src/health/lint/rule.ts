/** How grave it is to break a rule, the gravest first. */
export const levels = ["error", "warning", "note"] as const;

/**
 * error: rows are open, or requests fail. warning: a convention is broken, or something is open that may be
 * meant. note: worth knowing, and may be wanted. Errors and warnings make the command exit with 1.
 */
export type Level = (typeof levels)[number];

/** A rule: one file in rules/, or one that PostgreSQL is asked about for each table. */
export interface Rule {
  /** The file's name. */
  readonly name: string;
  readonly level: Level;
  /**
   * "convention" for one of Rowhouse's own: in a project that does not follow them, what breaks it
   * is counted, and is no finding.
   */
  readonly scope: "any" | "convention";
  /** Why there is the rule, and what to do where it is broken: from the file's first lines. */
  readonly why: string;
  readonly remedy: string;
  /** How much it finds in a project that was not made with it, and what to do then. */
  readonly cost: string;
  /** Selects `object` and `finding` of all that breaks it; undefined where no one query does. */
  readonly query: string | undefined;
}

/** An object that breaks a rule. */
export interface Finding {
  readonly rule: string;
  readonly level: Level;
  readonly object: string;
  /** What is wrong with the object: each the end of a sentence that begins with its name. */
  readonly findings: readonly string[];
  readonly why: string;
  readonly do: string;
}
