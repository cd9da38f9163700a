import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";

/** A table or a column that has a new name, which a comparison of two databases cannot tell. */
export interface Rename {
  /** "api.tasks" */
  readonly table: string;
  /** The column; the table itself without one. */
  readonly column?: string;
  /** The new name, without its schema or table. */
  readonly to: string;
}

/** "api.tasks.title", or "api.tasks". */
export function getOldName({ table, column }: Rename): string {
  return column === undefined ? table : `${table}.${column}`;
}

/** The new names of tables, each with its schema, by the old ones. */
export function mapRenamedTables(renames: readonly Rename[]): Map<string, string> {
  return new Map(
    renames
      .filter(({ column }) => column === undefined)
      .map(({ table, to }) => [table, table.slice(0, -getLastName(table).length) + to]),
  );
}

/** The statements that rename, or with `back` those that take it back. */
export function renameStatements(renames: readonly Rename[], back = false): string[] {
  const statements = renames.map((rename) => renameStatement(rename, back));
  return back ? statements.reverse() : statements;
}

function renameStatement({ table, column, to }: Rename, back: boolean): string {
  if (column === undefined) {
    const [schema, name] = [table.slice(0, -getLastName(table).length), getLastName(table)];
    return back
      ? `alter table ${schema}${to}\n  rename to ${name}`
      : `alter table ${table}\n  rename to ${to}`;
  }
  return back
    ? `alter table ${table}\n  rename column ${to} to ${column}`
    : `alter table ${table}\n  rename column ${column} to ${to}`;
}

/** "tasks" of "api.tasks". */
export function getLastName(table: string): string {
  return /(?:"(?:[^"]|"")*"|[^."]+)$/.exec(table)?.[0] ?? table;
}

/**
 * Renames tables and columns in a throwaway database.
 *
 * @throws RowhouseError plan_unproven when it has no such column, or one of the new name.
 */
export async function applyRenames(url: string, renames: readonly Rename[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const sql of renameStatements(renames)) {
      await client.query(sql).catch((error: unknown) => {
        throw new RowhouseError(
          "plan_unproven",
          `Cannot rename what db/migrations build: ${errorMessage(error)}.`,
          "Give the old name with its schema, and the new one alone: --rename api.tasks.title=name, or api.tasks=jobs for a table.",
          { cause: error },
        );
      });
    }
  });
}
