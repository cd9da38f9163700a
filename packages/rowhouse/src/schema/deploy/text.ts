import { colours } from "../../lib/colours.ts";
import type { Lock, Pending, Step } from "./dry-run.ts";

/** What a dry run found, for people: SQL that can be pasted, with the locks as comments. */
export function describePending(pending: readonly Pending[]): string[] {
  return pending.flatMap(({ file, inTransaction, steps }) => [
    colours.bold(`-- ${file}${inTransaction ? "" : ", outside a transaction"}`),
    "",
    ...steps.flatMap(describeStep),
  ]);
}

function describeStep({ sql, locks }: Step): string[] {
  return [`${sql};`, ...describeLocks(locks), ""];
}

function describeLocks(locks: readonly Lock[] | undefined): string[] {
  if (locks === undefined) {
    return [colours.yellow("-- locks: unknown, since they end with the statement")];
  }
  return locks.map(({ table, mode, blocks }) => {
    const name = mode
      .replace(/Lock$/, "")
      .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
      .toUpperCase();
    const line = `-- locks ${table} (${name}): blocks ${blocks || "other migrations at most"}`;
    return blocks ? colours.yellow(line) : colours.dim(line);
  });
}
