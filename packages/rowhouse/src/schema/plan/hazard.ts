/** What a step does only with explicit permission. */
export type HazardKind = "drop" | "rls-off" | "anonymous";

/** A step that drops data, turns row-level security off, or opens something to anonymous requests. */
export interface Hazard {
  readonly kind: HazardKind;
  /** What has to be named to allow it: "api.tasks.title", "api.tasks". */
  readonly object: string;
  /** What would happen, as a sentence. */
  readonly message: string;
}
