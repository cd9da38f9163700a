import { readStatement } from "../plan/statement.ts";

/** A part of a table that a plan adds in a statement of its own. */
interface Part {
  readonly table: string;
  /** As it stands within the parentheses of `create table`. */
  readonly definition: string;
  /** Undefined for constraints. */
  readonly column: string | undefined;
  /** The table that a foreign key refers to. */
  readonly refersTo: string | undefined;
}

/**
 * Puts columns and constraints into the statements that make their tables, as people write them.
 * Foreign keys of tables that need each other stay statements of their own.
 *
 * @param statements A plan in which tables are made empty.
 * @param columns The columns of each table in their order, as SQL writes them.
 * @param options Whether foreign keys are put there, too: then no order of the tables may work.
 */
export function composeTables(
  statements: readonly string[],
  columns: ReadonlyMap<string, readonly string[]>,
  { foreignKeys = true } = {},
): string[] {
  const made = new Map(
    statements.flatMap((sql) => {
      const [, head = "", table, tail = ""] = emptyTable.exec(sql) ?? [];
      return table === undefined ? [] : [[table, { sql, head, tail }] as const];
    }),
  );
  const parts = statements.map(readPart);
  const foreign = parts.flatMap((part) => (part?.refersTo === undefined ? [] : [part]));
  const isWithin = (part: Part | undefined): part is Part =>
    part !== undefined &&
    made.has(part.table) &&
    (part.refersTo === undefined || (foreignKeys && !isInCircle(part, foreign)));
  return statements.flatMap((sql, index) => {
    if (isWithin(parts[index])) return [];
    const [, , table = ""] = emptyTable.exec(sql) ?? [];
    const { head, tail } = made.get(table) ?? {};
    if (head === undefined) return [sql];
    const own = parts.filter(isWithin).filter((part) => part.table === table);
    const order = columns.get(table) ?? [];
    const place = ({ column }: Part) =>
      column === undefined ? Number.POSITIVE_INFINITY : order.indexOf(column);
    const lines = own
      .toSorted((one, other) => compare(place(one), place(other)))
      .map(({ definition }) => `  ${definition}`);
    return [lines.length === 0 ? sql : `${head} (\n${lines.join(",\n")}\n)${tail}`];
  });
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}

const name = /((?:"(?:[^"]|"")+"|[\w$]+)\.(?:"(?:[^"]|"")+"|[\w$]+))/.source;
const emptyTable = new RegExp(`^(create (?:unlogged )?table ${name}) \\(\\)([\\s\\S]*)$`);
const addition = new RegExp(`^alter table ${name}\\s+add (column )?([\\s\\S]*)$`);

function readPart(sql: string): Part | undefined {
  const [, table, column, definition = ""] = addition.exec(sql) ?? [];
  const { tree } = readStatement(sql);
  if (table === undefined || tree === undefined || !("AlterTableStmt" in tree)) return undefined;
  const [cmd, ...others] = tree.AlterTableStmt.cmds ?? [];
  if (cmd === undefined || others.length > 0 || !("AlterTableCmd" in cmd)) return undefined;
  const { subtype, def } = cmd.AlterTableCmd;
  if (subtype === "AT_AddColumn" && column !== undefined) {
    const [written] = /^(?:"(?:[^"]|"")+"|[\w$]+)/.exec(definition) ?? [];
    return { table, definition, column: written, refersTo: undefined };
  }
  if (subtype !== "AT_AddConstraint" || def === undefined || !("Constraint" in def))
    return undefined;
  // What is not checked yet cannot be said within the parentheses.
  if (def.Constraint.skip_validation) return undefined;
  const [, refersTo] = new RegExp(` references ${name}`).exec(definition) ?? [];
  return { table, definition, column: undefined, refersTo };
}

/** Whether the table that a foreign key refers to needs, in the end, the one that it is of. */
function isInCircle({ table, refersTo }: Part, foreign: readonly Part[]): boolean {
  if (refersTo === undefined || refersTo === table) return false;
  const seen = new Set([refersTo]);
  for (const one of seen) {
    if (one === table) return true;
    for (const part of foreign) {
      if (part.table === one && part.refersTo !== undefined && part.refersTo !== one)
        seen.add(part.refersTo);
    }
  }
  return false;
}
