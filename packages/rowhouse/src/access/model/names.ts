import pg from "pg";
import { RowhouseError } from "../../lib/errors.ts";
import { type AccessModel, findRelation, type Relation } from "./model.ts";

/** A relation's name in SQL that is run: with its schema, and always in quotes. */
export function sqlName({ schema, name }: Pick<Relation, "schema" | "name">): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** A name in SQL that is run: always in quotes, since it may be a key word. */
export function quoteName(name: string): string {
  return pg.escapeIdentifier(name);
}

/**
 * Finds the table that is meant.
 *
 * @param name "tasks" or "api.tasks"; the schema may be left out where only one has such a table.
 * @throws RowhouseError table_unknown when there is none, or it is a foreign table.
 */
export function findTable(model: AccessModel, name: string): Relation {
  const relation = findByName(model, name);
  const tables = model.relations.filter(({ kind }) => kind === "table").map((one) => one.label);
  const schemas = model.names.schemas.join(", ");
  const remedy =
    tables.length > 0
      ? `The tables are ${tables.join(", ")}.`
      : `PostgREST serves ${schemas} alone, and no table is there.`;
  if (relation !== undefined && relation.kind !== "foreign table") return relation;
  if (relation !== undefined) {
    throw new RowhouseError(
      "table_unknown",
      `${relation.fullName} is a ${relation.kind}: it has no policies of its own.`,
      `Ask about the table that it reads. ${remedy}`,
    );
  }
  const [schema = ""] = model.names.schemas;
  const bare = name.startsWith(`${schema}.`) ? name.slice(schema.length + 1) : name;
  const near = findNearest(bare, tables);
  throw new RowhouseError(
    "table_unknown",
    `There is no table ${bare.includes(".") ? bare : `${schema}.${bare}`}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
    remedy,
  );
}

function findByName(model: AccessModel, name: string): Relation | undefined {
  const { relations } = model;
  const exact = relations.find(
    (one) => name === `${one.schema}.${one.name}` || name === one.fullName,
  );
  const ofDefault = relations.find(
    (one) => one.name === name && one.schema === model.names.schemas[0],
  );
  const named = relations.filter((one) => one.name === name);
  return (
    exact ?? ofDefault ?? findRelation(model, name) ?? (named.length === 1 ? named[0] : undefined)
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
