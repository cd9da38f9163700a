import { z } from "zod";

const reason = z.string().trim().min(1, { error: "give the reason" });

/** The part "lint" of a project's settings: what is switched off, each with its reason. */
export const lintSettingsSchema = z.record(
  z.string(),
  z.union([reason, z.record(z.string(), reason)], {
    error: 'give a reason, or an object: { "api.table.column": "the reason" }',
  }),
  { error: 'give an object of rules: { "awkward_names": "the reason" }' },
);

/** Rules that are switched off: for all objects with one reason, or with a reason for each object. */
export type LintSettings = z.infer<typeof lintSettingsSchema>;

/** What a rule found. */
interface Found {
  readonly rule: string;
  readonly object: string;
  /** Whether a comment waives it, where that was read already. */
  readonly isWaived?: boolean;
}

/** What is neither switched off nor waived. */
export function withoutSwitchedOff<T extends Found>(found: readonly T[], off: LintSettings): T[] {
  return found.filter((one) => !one.isWaived && !isSwitchedOff(one, off));
}

/** Whether the rule is switched off, for all objects or for this one. */
export function isSwitchedOff({ rule, object }: Found, off: LintSettings): boolean {
  const entry = Object.hasOwn(off, rule) ? off[rule] : undefined;
  return typeof entry === "string" || (entry !== undefined && Object.hasOwn(entry, object));
}

/** The entries that switch off nothing that was found: they can go. */
export function findUnused(found: readonly Found[], off: LintSettings): Found[] {
  return Object.entries(off).flatMap(([rule, entry]) => {
    const objects = found.filter((one) => one.rule === rule).map(({ object }) => object);
    if (typeof entry === "string") return objects.length > 0 ? [] : [{ rule, object: "" }];
    return Object.keys(entry)
      .filter((object) => !objects.includes(object))
      .map((object) => ({ rule, object }));
  });
}
