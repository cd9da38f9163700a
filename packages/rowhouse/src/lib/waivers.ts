import type { LintSettings } from "./lint-settings.ts";

/** What comments waive, as package.json would have it; and the waivers that say too little. */
export interface Waivers {
  readonly waivers: LintSettings;
  readonly refused: readonly { readonly object: string; readonly finding: string }[];
}

/** Something that findings can be about, by the name that these have for it, and its comment. */
interface WaiverSource {
  readonly name: string;
  readonly comment: string | null;
}

/**
 * Reads the waivers in comments: lines "lint: allow <rule>: <reason>", which stand at the comment's end
 * so that its first sentence stays what a reader of the API sees.
 *
 * @param rules The names of the rules that can be waived.
 */
export function readWaivers(objects: readonly WaiverSource[], rules: readonly string[]): Waivers {
  const waivers: Record<string, Record<string, string>> = {};
  const refused: { object: string; finding: string }[] = [];
  for (const { name: object, comment } of objects) {
    for (const line of findWaiverLines(comment ?? "")) {
      const [, rule = "", reason = ""] = /^lint:\s*allow\s+(\w+)\s*:?\s*(.*)$/i.exec(line) ?? [];
      const fault = findFault(rules, rule, reason);
      if (fault === undefined) waivers[rule] = { ...waivers[rule], [object]: reason };
      else refused.push({ object, finding: fault });
    }
  }
  return { waivers, refused };
}

function findWaiverLines(comment: string): string[] {
  return comment
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^lint:/i.test(line));
}

function findFault(rules: readonly string[], rule: string, reason: string): string | undefined {
  if (rule === "") return "a line of its comment begins with lint: and is no waiver";
  if (!rules.includes(rule)) return `its comment waives ${rule}, and there is no such rule`;
  return /\w/.test(reason) ? undefined : `its comment waives ${rule} without a reason`;
}
