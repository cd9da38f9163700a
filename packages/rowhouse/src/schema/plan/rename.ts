import { errorMessage, RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";

/** A column that has a new name, which a comparison of two databases cannot tell. */
export interface Rename {
  /** "api.tasks" */
  readonly table: string;
  readonly column: string;
  readonly to: string;
}

/** The statements that rename, or with `back` those that take it back. */
export function renameStatements(renames: readonly Rename[], back = false): string[] {
  const statements = renames.map(({ table, column, to }) =>
    back
      ? `alter table ${table}\n  rename column ${to} to ${column}`
      : `alter table ${table}\n  rename column ${column} to ${to}`,
  );
  return back ? statements.reverse() : statements;
}

/**
 * Renames columns in a throwaway database.
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
          "Give the old name with its table, and the new one alone: --rename api.tasks.title=name.",
          { cause: error },
        );
      });
    }
  });
}
