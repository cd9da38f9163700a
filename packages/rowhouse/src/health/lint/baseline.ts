import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import type { Finding } from "./rule.ts";

const baselineSchema = z.array(
  z.strictObject({ rule: z.string(), object: z.string(), finding: z.string() }),
);

/** What was found when the baseline was written: no more than what tells one finding from another. */
export type Baseline = z.infer<typeof baselineSchema>;

/** @throws RowhouseError file_unusable */
export function readBaseline(file: string): Baseline {
  try {
    return baselineSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw unusable(
      file,
      "read",
      "Write it first: `npx rowhouse lint --baseline <file> --write-baseline`.",
      error,
    );
  }
}

/**
 * Writes what is found now, one finding a line, so that a diff shows what comes and goes.
 *
 * @throws RowhouseError file_unusable
 */
export function writeBaseline(file: string, findings: readonly Finding[]): void {
  const lines = flatten(findings).map((entry) => `  ${JSON.stringify(entry)}`);
  try {
    writeFileSync(file, lines.length === 0 ? "[]\n" : `[\n${lines.join(",\n")}\n]\n`);
  } catch (error) {
    throw unusable(file, "written", "Create its folder, or make it writable.", error);
  }
}

/** What is found and stands in no baseline, and how much of the baseline is found no more. */
export function withoutBaseline(
  findings: readonly Finding[],
  baseline: Baseline,
): { readonly left: readonly Finding[]; readonly gone: number } {
  const known = new Set(baseline.map(toKey));
  const found = new Set(flatten(findings).map(toKey));
  const left = findings.flatMap((one) => {
    const fresh = one.findings.filter((finding) => !known.has(toKey({ ...one, finding })));
    return fresh.length === 0 ? [] : [{ ...one, findings: fresh }];
  });
  return { left, gone: [...known].filter((key) => !found.has(key)).length };
}

function flatten(findings: readonly Finding[]): Baseline {
  return findings.flatMap(({ rule, object, findings: all }) =>
    all.map((finding) => ({ rule, object, finding })),
  );
}

function toKey({ rule, object, finding }: Baseline[number]): string {
  return JSON.stringify([rule, object, finding]);
}

function unusable(file: string, done: string, remedy: string, cause: unknown): RowhouseError {
  return new RowhouseError(
    "file_unusable",
    `The baseline ${file} cannot be ${done}: ${errorMessage(cause)}.`,
    remedy,
    { cause },
  );
}
