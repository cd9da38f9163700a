/** A column that takes no null and has no default, on a table that may have rows. */
export interface Backfill {
  readonly table: string;
  readonly column: string;
}

/** How the planner adds such a column. */
const adding =
  /^alter table (\S+)\s+add column ("(?:[^"]|"")+"|\S+) ((?:(?! default | generated )[\s\S])*) not null$/;

/**
 * Adds each column that takes no null in three steps: without that rule, then its values, then the
 * rule.
 *
 * @param fill The SQL that gives the rows that are there their values.
 */
export function splitRequired(
  statements: readonly string[],
  fill: (backfill: Backfill) => readonly string[],
): string[] {
  return statements.flatMap((sql) => {
    const [, table, column, type] = adding.exec(sql) ?? [];
    if (table === undefined || column === undefined || type === undefined) return [sql];
    return [
      `alter table ${table}\n  add column ${column} ${type}`,
      ...fill({ table, column }),
      `alter table ${table}\n  alter column ${column} set not null`,
    ];
  });
}

/** The columns that statements add in that way. */
export function findRequired(statements: readonly string[]): Backfill[] {
  return statements.flatMap((sql) => {
    const [, table, column] = adding.exec(sql) ?? [];
    return table === undefined || column === undefined ? [] : [{ table, column }];
  });
}

/** The place for a person to write the values; as it stands, the migration fails where rows are. */
export function markedPlace({ table, column }: Backfill): string {
  return `-- BACKFILL: write what the rows of ${table} that are there get, like
--   update ${table} set ${column} = ... where ${column} is null;`;
}
