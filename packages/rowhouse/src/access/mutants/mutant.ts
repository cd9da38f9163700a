/** One weakening of the access rules. */
export interface Mutant {
  /** "using (true)", "extra grant on a table" ... */
  readonly kind: string;
  /** What is weakened: "api.tasks", "select_own on api.tasks", "request.user_id()" ... */
  readonly object: string;
  /** The statements that do it: they run as they stand. */
  readonly sql: string;
  /** The statements that take it back, where dropping the database would not; null elsewhere. */
  readonly undo: string | null;
  /** Why nothing can tell it from the original; without it, the tests have to. */
  readonly equivalent?: string | null;
}

/** A mutant in a few words: "api.tasks: RLS off". */
export function mutantTitle({ object, kind }: Mutant): string {
  return `${object}: ${kind}`;
}

/** What became of a mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /**
   * "failed": nothing is known, since its SQL or the server failed. "equivalent": nothing can tell it
   * from the original.
   */
  readonly outcome: "killed" | "survived" | "failed" | "equivalent";
  /** The pgTAP file that noticed it, and its first assertion that failed; null for the others. */
  readonly killedBy: { readonly file: string; readonly assertion: string } | null;
  /** Why it failed or is equivalent; null for the others. */
  readonly reason: string | null;
}
