import { stripVTControlCharacters } from "node:util";
import { visible } from "../../lib/visible.ts";
import type { CatalogDifference } from "../catalog/catalog.ts";
import { describeDifference } from "../catalog/describe.ts";

/** What `rowhouse init` reports: what is worth knowing, and what of a database is not in its project. */
export interface Report {
  readonly notes: readonly string[];
  readonly leftOut: readonly Omission[];
  /** How what the files build differs from the database; empty as a rule. */
  readonly difference: CatalogDifference;
}

/** A statement that no file can hold. */
export interface Omission {
  /** Its beginning: the rest may hold a secret. */
  readonly statement: string;
  readonly reason: string;
}

/** What is not in the project, as lines: they are printed, and stand in the README. */
export function describeReport({ notes, leftOut, difference }: Report): string[] {
  const lines = describeDifference(difference);
  return [
    ...notes,
    ...leftOut.map(({ statement, reason }) => `Left out, since ${reason}: ${statement}`),
    ...(lines.length === 0
      ? []
      : [
          "This could not be written down (+ is the database, - what the project builds):",
          ...lines,
        ]),
  ];
}

/**
 * The README of a project.
 *
 * @param name The package's.
 */
export function readmeText(name: string, report: Report): string {
  const lines = describeReport(report);
  return `# ${name}

A PostgreSQL database with PostgREST in front, made a project by \`rowhouse init\`: \`sql/\` and \`policies/\` say
what the database is, \`db/migrations/\` how it got there, and \`client/\` has its types.
[docs/access.md](docs/access.md) shows who can do what.

## Start

Let \`SOURCE\` hold the URL of the database that this was made of, as its owner:

\`\`\`sh
npm install
npx rowhouse db adopt --against "$SOURCE"
\`\`\`

The second records the migration as applied there: that database has all of it already.
\`npm start\` serves a new one, without rows, on this machine.

## What is not in this project

Rows, passwords of roles, and settings that look like a secret.${lines.length === 0 ? "" : ` And what \`rowhouse init\` named:\n\n${fenced(lines)}\n\nMake by hand on each server what you need of it.`}
`;
}

/** Names and statements are other people's: no line of theirs ends the block. */
function fenced(lines: readonly string[]): string {
  const text = lines.map((line) => visible(stripVTControlCharacters(line))).join("\n");
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
