/** Whether what breaks a rule has to be fixed, or is worth knowing and may be wanted. */
export type Level = "error" | "note";

/** A project convention: one file in rules/, or one that PostgreSQL is asked about for each table. */
export interface Rule {
  /** The file's name. */
  readonly name: string;
  readonly level: Level;
  /** Why there is the rule, and what to do where it is broken: from the file's first lines. */
  readonly why: string;
  readonly remedy: string;
  /** Selects `object` and `finding` of all that breaks it; undefined where no one query does. */
  readonly query: string | undefined;
}
