import { colours } from "../../lib/colours.ts";

/** The rules of `rowhouse lint` about such faults. */
export const faultRuleNames = [
  "column_grants",
  "failing_requests",
  "failing_rows",
  "fallible_policies",
  "policy_recursion",
] as const;

/** Something about grants or policies that makes requests fail. */
export interface Fault {
  /** The rule of `rowhouse lint` that finds it. */
  readonly rule: (typeof faultRuleNames)[number];
  /** Whether requests fail for sure; else it happens with some rows or claims. */
  readonly level: "error" | "note";
  /** "api.tasks.due_on", "api.tasks" */
  readonly object: string;
  /** What is wrong with the object: the end of a sentence that begins with its name. */
  readonly finding: string;
  /** Which requests fail: a sentence without its full stop. */
  readonly effect: string;
  /** What to do about it. */
  readonly remedy: string;
  /** What it has in common with the same fault in another database. */
  readonly keys: readonly string[];
  /** What it has in common with another finding about the same cause. */
  readonly causes?: readonly string[];
  /** Whether a comment on the object waives it. */
  readonly isWaived?: boolean;
}

/** The faults that a change brings: those of the second database that the first one has not. */
export function findNewFaults(before: readonly Fault[], after: readonly Fault[]): Fault[] {
  const known = new Set(before.flatMap(({ keys }) => keys));
  return after.filter(({ keys }) => keys.some((key) => !known.has(key)));
}

/** Faults in lines for people, each with its remedy. */
export function describeFaults(faults: readonly Fault[]): string[] {
  return faults.flatMap(({ level, object, finding, effect, remedy }) => [
    level === "error"
      ? `${colours.red("Requests fail:")} ${colours.bold(object)}: ${finding}. ${effect}.`
      : `${colours.yellow("Requests may fail:")} ${colours.bold(object)}: ${finding}. ${effect}.`,
    `  ${colours.dim("do:")} ${remedy}`,
  ]);
}

/** How to keep what is reported, ready to be pasted: for messages. */
export function describeKeeping(faults: readonly Fault[]): string {
  const lint: Record<string, Record<string, string>> = {};
  for (const { rule, object } of faults) lint[rule] = { ...lint[rule], [object]: "your reason" };
  return `What is meant to fail is switched off in package.json: "rowhouse": ${JSON.stringify({ lint })}`;
}
