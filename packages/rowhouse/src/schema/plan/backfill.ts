import { parseStatement, quoteName } from "../catalog/sql.ts";
import { quotePath } from "../catalog/subject.ts";

/** A column that takes no null and has no default, on a table that may have rows. */
export interface Backfill {
  readonly table: string;
  readonly column: string;
}

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
    const required = readRequired(sql);
    if (required === undefined) return [sql];
    const { table, column, nullable } = required;
    return [
      nullable,
      ...fill({ table, column }),
      `alter table ${table}\n  alter column ${column} set not null`,
    ];
  });
}

/** The columns that statements add in that way. */
export function findRequired(statements: readonly string[]): Backfill[] {
  return statements.flatMap((sql) => {
    const { table, column } = readRequired(sql) ?? {};
    return table === undefined || column === undefined ? [] : [{ table, column }];
  });
}

/** The column that a statement adds alone, without null and without a value, and the statement without that rule. */
function readRequired(sql: string): (Backfill & { readonly nullable: string }) | undefined {
  const tree = parseStatement(sql);
  if (tree === undefined || !("AlterTableStmt" in tree)) return undefined;
  const { relation, cmds: [cmd, ...others] = [] } = tree.AlterTableStmt;
  if (cmd === undefined || others.length > 0 || !("AlterTableCmd" in cmd)) return undefined;
  const { def } = cmd.AlterTableCmd;
  if (def === undefined || !("ColumnDef" in def)) return undefined;
  const constraints = (def.ColumnDef.constraints ?? []).flatMap((one) =>
    "Constraint" in one ? [one.Constraint] : [],
  );
  const rule = constraints.find(({ contype }) => contype === "CONSTR_NOTNULL");
  if (rule === undefined || constraints.some(({ contype }) => hasValue.has(contype ?? ""))) return;
  const table = [relation?.schemaname, relation?.relname].filter((part) => part !== undefined);
  // The parser counts bytes.
  const bytes = Buffer.from(sql);
  const [head, tail] = [bytes.subarray(0, rule.location), bytes.subarray(rule.location ?? 0)];
  const rest = tail.toString().replace(/^not\s+null/i, "");
  return {
    table: quotePath(table),
    column: quoteName(def.ColumnDef.colname ?? ""),
    nullable: (head.toString().trimEnd() + rest).trim(),
  };
}

/** What gives the rows that are there a value. */
const hasValue = new Set(["CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"]);

/** The place for a person to write the values; as it stands, the migration fails where rows are. */
export function markedPlace({ table, column }: Backfill): string {
  return `-- BACKFILL: write what the rows of ${table} that are there get, like
--   update ${table} set ${column} = ... where ${column} is null;`;
}
