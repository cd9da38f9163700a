import pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import type { AccessModel, Relation } from "./model.ts";
import { findRelation } from "./model.ts";

/** A relation's name in SQL that is run: with its schema, and always in quotes. */
export function sqlName(name: string): string {
  return `api.${quoteName(name)}`;
}

/** A name in SQL that is run: always in quotes, since it may be a key word. */
export function quoteName(name: string): string {
  return pg.escapeIdentifier(name);
}

/** A name in SQL that is read: in quotes where it has anything but small letters in it. */
export function readableName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteName(name);
}

/**
 * Finds the table that is meant.
 *
 * @param name "tasks" or "api.tasks".
 * @throws RowhouseError table_unknown when there is none, or it is a view.
 */
export function findTable(model: AccessModel, name: string): Relation {
  const normalize = name.replace(/^api\./, "");
  const relation = findRelation(model, normalize);
  const tables = model.relations.filter(({ kind }) => kind === "table").map((one) => one.name);
  if (relation?.kind === "table") return relation;
  if (relation !== undefined) {
    throw new RowhouseError(
      "table_unknown",
      `api.${normalize} is a ${relation.kind}: it has no policies of its own.`,
      `Ask about the table that it reads. The tables are ${tables.join(", ")}.`,
    );
  }
  const near = findNearest(normalize, tables);
  throw new RowhouseError(
    "table_unknown",
    `There is no table api.${normalize}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    `The tables are ${tables.join(", ")}.`,
  );
}

/** The word that is most like another one; undefined when none is much like it. */
function findNearest(word: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(1, word.length / 3)
    ? best.candidate
    : undefined;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [above, letter] of [...from].entries()) {
    const next = [above + 1];
    for (const [left, other] of [...to].entries()) {
      const changed = (row[left] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (next[left] ?? 0) + 1, (row[left + 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
