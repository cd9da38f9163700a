/** Where work reports what it does, and how it is interrupted. */
export interface Progress {
  /** Takes a line about what happens. */
  readonly report: (line: string) => void;
  /** Ends the work early. */
  readonly signal: AbortSignal;
}
