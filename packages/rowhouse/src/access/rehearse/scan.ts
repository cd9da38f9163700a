import type { Relation } from "../model/model.ts";
import { quoteName } from "../model/names.ts";
import type { Change } from "./changes.ts";

/** Changes to one table for one role, and how to count the rows they affect. */
export interface Scan {
  readonly relation: Relation;
  readonly changes: readonly Change[];
  /** How many examples to name of rows gained, and of rows lost. */
  readonly examples: number;
}

/** The select list that judges a row: each different condition once, true or false. */
export function sides(scan: Scan): string {
  return listConditions(scan)
    .map((sql, index) => `coalesce((${sql}), false) as condition_${index}`)
    .join(", ");
}

/** Whether a row passes any of them: the others count nowhere, and an index may leave them out. */
export function passes(scan: Scan): string {
  return listConditions(scan)
    .map((sql) => `(${sql})`)
    .join(" or ");
}

function listConditions({ changes }: Scan): string[] {
  return [...new Set(changes.flatMap(({ before, after }) => [before.sql, after.sql]))];
}

/** The columns of the select list that a change compares. */
export function getColumns(scan: Scan, { before, after }: Change): [before: string, after: string] {
  const conditions = listConditions(scan);
  const column = (sql: string) => `condition_${conditions.indexOf(sql)}`;
  return [column(before.sql), column(after.sql)];
}

/** The conditions for rows gained, lost and kept, over that select list. */
export function tests(scan: Scan, change: Change) {
  const [before, after] = getColumns(scan, change);
  return {
    gained: `${after} and not ${before}`,
    lost: `${before} and not ${after}`,
    kept: `${before} and ${after}`,
  };
}

/** Counts them for each change: gained_0, lost_0, kept_0, gained_1 ... */
export function counts(scan: Scan): string {
  return scan.changes
    .flatMap((change, index) =>
      Object.entries(tests(scan, change)).map(
        ([part, test]) => `count(*) filter (where ${test}) as ${part}_${index}`,
      ),
    )
    .join(", ");
}

/** What names a row to people: its id, else its key, else its place. */
export function exampleExpression({ name, columns, key }: Relation): string {
  const column = (one: string) => `${quoteName(name)}.${quoteName(one)}`;
  if (columns.some((one) => one.name === "id")) return column("id");
  if (key.length > 0)
    return key.length === 1 ? column(key[0] ?? "") : `row(${key.map(column).join(", ")})`;
  return `${quoteName(name)}.ctid`;
}
