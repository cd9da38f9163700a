import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorMessage } from "../../lib/errors.ts";

/** A column, as columns.sql reads it. */
interface Column {
  readonly name: string;
  readonly type: string;
  /** It takes no null and has no default. */
  readonly required: boolean;
  /** The database has a value for it when none is given. */
  readonly made: boolean;
  /** Nothing else can be put there. */
  readonly fixed: boolean;
  readonly labels: readonly string[] | null;
  readonly refers: { readonly table: string; readonly column: string } | null;
}

interface Table {
  readonly table: string;
  readonly columns: readonly Column[];
}

/** A table that no row could be made for. */
export interface WithoutRows {
  readonly table: string;
  readonly reason: string;
}

/** How many rows each table gets. */
const rowsPerTable = 2;

const query = readFileSync(join(import.meta.dirname, "columns.sql"), "utf8");

/**
 * Makes up rows in every table of a throwaway database, so that a migration has something to
 * destroy: by type and by reference, and by default where the rules want it.
 *
 * @returns The tables whose rules no made-up row meets.
 */
export async function makeRows(client: pg.ClientBase): Promise<WithoutRows[]> {
  let pending = await listTables(client);
  let failures: WithoutRows[] = [];
  // A table waits for those that it refers to, so as many rounds as there are tables at the most.
  while (pending.length > 0) {
    failures = [];
    const left: Table[] = [];
    for (const table of pending) {
      const reason = await fill(client, table);
      if (reason === undefined) continue;
      failures.push({ table: table.table, reason });
      left.push(table);
    }
    if (left.length === pending.length) break;
    pending = left;
  }
  return failures;
}

/** The tables of a database that can hold rows; dbmate's own is left out. */
export async function listTables(client: pg.ClientBase): Promise<Table[]> {
  await client.query("set search_path = ''");
  return (await client.query<Table>(query)).rows;
}

/**
 * Fills a table with as many columns as its rules let: what stands in a column shows whether it
 * survives, and a default does not, since a column that is created again has it, too.
 *
 * @returns Why the table could not be filled.
 */
async function fill(client: pg.ClientBase, { table, columns }: Table): Promise<string | undefined> {
  const given = columns.filter(({ required, refers }) => required || refers);
  const others = columns.filter((column) => !column.fixed && !given.includes(column));
  // Rules of several columns can want them all, or none.
  const whole = [...given, ...others.filter(({ made }) => !made)];
  let chosen = whole;
  if ((await insert(client, table, whole, "rollback")) !== undefined) {
    const reason = await insert(client, table, given, "rollback");
    if (reason !== undefined) return reason;
    chosen = given;
  }
  for (const column of others.filter((one) => !chosen.includes(one))) {
    const more = [...chosen, column];
    if ((await insert(client, table, more, "rollback")) === undefined) chosen = more;
  }
  return insert(client, table, chosen, "commit");
}

/** @returns Why it is impossible. */
async function insert(
  client: pg.ClientBase,
  table: string,
  columns: readonly Column[],
  end: "commit" | "rollback",
): Promise<string | undefined> {
  await client.query("begin");
  try {
    for (let row = 0; row < rowsPerTable; row += 1) {
      const names = columns.map(({ name }) => name).join(", ");
      const values = columns.map((column) => makeValue(column, row)).join(", ");
      await client.query(
        columns.length === 0
          ? `insert into ${table} default values`
          : `insert into ${table} (${names}) values (${values})`,
      );
    }
    // Here those fail that are checked at the end.
    await client.query("set constraints all immediate");
    await client.query(end);
    return undefined;
  } catch (error) {
    await client.query("rollback");
    return errorMessage(error);
  }
}

/** A value in SQL, as good as can be guessed: it looks like an email address where text is wanted. */
function makeValue({ type, labels, refers }: Column, row: number): string {
  if (refers) {
    const { table, column } = refers;
    // All columns of a reference have to come from the same row.
    return `(select ${column} from ${table} order by tableoid, ctid offset ${row % rowsPerTable} limit 1)`;
  }
  if (labels) return `'${labels[row % labels.length]?.replaceAll("'", "''")}'::${type}`;
  if (type.endsWith("[]")) return `'{}'::${type}`;
  return values[type]?.(row) ?? `null::${type}`;
}

const number = (row: number) => String(row + 1);
const text = (row: number) => `'a${row + 1}@example.com'`;
const moment = (row: number) => `timestamp '2026-01-0${row + 1} 00:00:00'`;

const values: Record<string, (row: number) => string> = {
  uuid: () => "gen_random_uuid()",
  text,
  "character varying": text,
  smallint: number,
  integer: number,
  bigint: number,
  numeric: number,
  real: number,
  "double precision": number,
  boolean: () => "true",
  date: moment,
  "timestamp without time zone": moment,
  "timestamp with time zone": moment,
  interval: () => "interval '1 day'",
  json: () => "'{}'",
  jsonb: () => "'{}'",
  bytea: () => "'\\x00'",
};
