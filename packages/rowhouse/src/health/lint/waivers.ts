import type { LintSettings } from "../../lib/lint-settings.ts";
import type { LintObject } from "./objects.ts";
import { readRules } from "./rules.ts";

/** What comments waive, as package.json would have it; and the waivers that say too little. */
export interface Waivers {
  readonly waivers: LintSettings;
  readonly refused: readonly { readonly object: string; readonly finding: string }[];
}

/**
 * Reads the waivers in comments: lines "lint: allow <rule>: <reason>", which stand at the comment's end
 * so that its first sentence stays what a reader of the API sees.
 */
export function readWaivers(objects: readonly LintObject[]): Waivers {
  const known = new Set(readRules().map(({ name }) => name));
  const waivers: Record<string, Record<string, string>> = {};
  const refused: { object: string; finding: string }[] = [];
  for (const { name: object, comment } of objects) {
    for (const line of findWaiverLines(comment ?? "")) {
      const [, rule = "", reason = ""] = /^lint:\s*allow\s+(\w+)\s*:?\s*(.*)$/i.exec(line) ?? [];
      const fault = findFault(known, rule, reason);
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

function findFault(known: ReadonlySet<string>, rule: string, reason: string): string | undefined {
  if (rule === "") return "a line of its comment begins with lint: and is no waiver";
  if (!known.has(rule)) return `its comment waives ${rule}, and there is no such rule`;
  return /\w/.test(reason) ? undefined : `its comment waives ${rule} without a reason`;
}
