import { colours } from "../../lib/colours.ts";
import type { CatalogDifference, CatalogEntry } from "./catalog.ts";
import { changedLines } from "./lines.ts";

/**
 * How two catalogs differ, as lines to read: each object, and below it what it is (-) and what it
 * should be (+). Of a long definition only the lines that differ are shown.
 */
export function describeDifference({ missing, surplus }: CatalogDifference): string[] {
  const names = new Set([...missing, ...surplus].map(fullName));
  return [...names].sort().flatMap((name) => {
    const wanted = joinDefinitions(missing, name);
    const actual = joinDefinitions(surplus, name);
    return [
      `  ${colours.bold(name)}`,
      ...changedLines(actual, wanted).filter(hasText).map(colourLine),
    ];
  });
}

function fullName({ kind, name }: CatalogEntry): string {
  return `${kind} ${name}`;
}

/** All that stands under a name: of grants there is one entry for each privilege. */
function joinDefinitions(entries: readonly CatalogEntry[], name: string): string {
  const found = entries.filter((entry) => fullName(entry) === name);
  return found.map(({ definition }) => definition || "(is there)").join("\n");
}

function hasText(line: string): boolean {
  return line.length > 2;
}

function colourLine(line: string): string {
  return `    ${line.startsWith("-") ? colours.red(line) : colours.green(line)}`;
}
