import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Mutant, Verdict } from "./mutant.ts";

/** Short names of mutants, by which the pgTAP files declare them equivalent, each with the reason. */
export type Equivalents = ReadonlyMap<string, string>;

const declaration = /^-- equivalent mutant ([0-9a-f]{8}): (.+)$/gm;

/** The short name of a mutant: it changes with any word of its SQL. */
export function mutantId({ sql }: Pick<Mutant, "sql">): string {
  return createHash("sha256").update(sql).digest("hex").slice(0, 8);
}

/** What pgTAP files declare, in lines like "-- equivalent mutant 0a1b2c3d: the reason". */
export function readEquivalents(files: readonly string[]): Equivalents {
  const texts = files.map((file) => readFileSync(file, "utf8"));
  const found = texts.flatMap((text) => [...text.matchAll(declaration)]);
  return new Map(found.map(([, id = "", reason = ""]) => [id, reason]));
}

/**
 * A survivor that is declared equivalent is named with the reason; a killed one shows that the
 * declaration is wrong, which is no success.
 */
export function judgeDeclared(verdict: Verdict, equivalents: Equivalents): Verdict {
  const reason = equivalents.get(mutantId(verdict.mutant));
  if (reason === undefined || verdict.killedBy === null) {
    const declared = reason !== undefined && verdict.outcome === "survived";
    return declared ? { ...verdict, outcome: "equivalent", reason } : verdict;
  }
  return {
    ...verdict,
    outcome: "failed",
    killedBy: null,
    reason: `it is declared equivalent, but ${verdict.killedBy.file} notices it: remove the declaration`,
  };
}
