import { diff3Merge } from "node-diff3";

/** What becomes of a file that the tool owns. */
export interface FileChange {
  readonly path: string;
  /**
   * - `updated`, `added`, `removed`: you had not changed it.
   * - `merged`: your edits and the new version, both.
   * - `conflict`: both changed the same lines; the text holds conflict markers.
   * - `kept`: you edited or deleted a file that the new version changed or dropped; yours stays.
   */
  readonly outcome: "updated" | "added" | "removed" | "merged" | "conflict" | "kept";
  /** The file's new text; undefined when it goes or stays as it is. */
  readonly text?: string;
}

/** The three versions of a file; undefined where there is none. */
export interface Versions {
  /** As the tool last wrote it. */
  readonly base: string | undefined;
  /** As it is in the project. */
  readonly yours: string | undefined;
  /** As the new version of the tool has it. */
  readonly theirs: string | undefined;
}

/**
 * Brings one file in step.
 *
 * @param label Names the new version in conflict markers: "rowhouse 0.2.0".
 * @returns What to do; undefined when there is nothing to do.
 */
export function mergeFile(
  path: string,
  { base, yours, theirs }: Versions,
  label: string,
): FileChange | undefined {
  if (theirs === base || theirs === yours) return undefined;
  if (theirs === undefined) {
    return yours === undefined ? undefined : { path, outcome: yours === base ? "removed" : "kept" };
  }
  if (yours === undefined) {
    return base === undefined
      ? { path, outcome: "added", text: theirs }
      : { path, outcome: "kept" };
  }
  if (yours === base) return { path, outcome: "updated", text: theirs };
  return mergeTexts(path, yours, base ?? "", theirs, label);
}

function mergeTexts(
  path: string,
  yours: string,
  base: string,
  theirs: string,
  label: string,
): FileChange {
  const regions = diff3Merge(yours.split("\n"), base.split("\n"), theirs.split("\n"));
  const lines = regions.flatMap(({ ok, conflict }) =>
    conflict === undefined
      ? (ok ?? [])
      : ["<<<<<<< yours", ...conflict.a, "=======", ...conflict.b, `>>>>>>> ${label}`],
  );
  const outcome = regions.some(({ conflict }) => conflict !== undefined) ? "conflict" : "merged";
  return { path, outcome, text: lines.join("\n") };
}
