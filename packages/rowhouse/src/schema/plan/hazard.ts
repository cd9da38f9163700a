/** What a step does only with explicit permission. */
export type HazardKind = "drop" | "rls-off" | "anonymous" | "power";

/**
 * A step that drops data, turns row-level security off, opens something to anonymous requests, or gives a
 * role of the API another power.
 */
export interface Hazard {
  readonly kind: HazardKind;
  /** What has to be named to allow it: "api.tasks.title", "api.tasks". */
  readonly object: string;
  /** What would happen, as a sentence. */
  readonly message: string;
}
