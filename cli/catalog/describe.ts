import pc from "picocolors";
import type { CatalogDifference, CatalogEntry } from "./catalog.ts";
import { changedLines } from "./lines.ts";

/**
 * How two catalogs differ, as lines to read: each object, and below it what it is (-) and what it
 * should be (+). Of a long definition only the lines that differ are told.
 */
export function describeDifference({ missing, surplus }: CatalogDifference): string[] {
  const names = new Set([...missing, ...surplus].map(nameOf));
  return [...names].sort().flatMap((name) => {
    const wanted = textOf(missing, name);
    const actual = textOf(surplus, name);
    return [`  ${pc.bold(name)}`, ...changedLines(actual, wanted).filter(hasText).map(coloured)];
  });
}

function nameOf({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}

/** All that stands under a name: of grants there is one entry for each privilege. */
function textOf(entries: readonly CatalogEntry[], name: string): string {
  const found = entries.filter((entry) => nameOf(entry) === name);
  return found.map(({ definition }) => definition || "(is there)").join("\n");
}

function hasText(line: string): boolean {
  return line.length > 2;
}

function coloured(line: string): string {
  return `    ${line.startsWith("-") ? pc.red(line) : pc.green(line)}`;
}
