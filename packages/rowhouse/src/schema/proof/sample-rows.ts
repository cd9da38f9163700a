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
  /** The texts and numbers in its rules: what they want is often among them. */
  readonly literals: readonly string[];
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
 * SQL that gives made-up values to a column of the rows that are there, as a person would.
 *
 * @param client The database that has the column already.
 */
export async function fillColumn(
  client: pg.ClientBase,
  table: string,
  column: string,
): Promise<string[]> {
  const found = (await listTables(client)).find((one) => one.table === table);
  const target = found?.columns.find(({ name }) => name === column);
  if (found === undefined || target === undefined) return [];
  const [guess] = candidates(target, undefined, found.literals);
  // Two rows were made up, and the column may be unique.
  return [
    `update ${table} set ${column} = ${guess?.(0)}`,
    `update ${table} set ${column} = ${guess?.(1)} where ctid = (select max(ctid) from ${table})`,
  ];
}

/** A throwaway database with the rules that made-up rows have to meet, too. */
export interface Target {
  readonly client: pg.ClientBase;
  readonly tables: readonly Table[];
}

/** Connects rows to be made up to the rules of another database, which is not changed. */
export async function openTarget(client: pg.ClientBase): Promise<Target> {
  // What a row refers to is elsewhere.
  await client.query("set session_replication_role = replica");
  return { client, tables: await listTables(client) };
}

/**
 * Makes up rows in every table of a throwaway database, so that a migration has something to
 * destroy: by type and by reference, and by default where the rules want it.
 *
 * @param target Where a migration leads: rows have to meet its rules as well as those that are there.
 * @returns The tables whose rules no made-up row meets.
 */
export async function makeRows(client: pg.ClientBase, target?: Target): Promise<WithoutRows[]> {
  let pending = await listTables(client);
  let failures: WithoutRows[] = [];
  // A table waits for those that it refers to, so as many rounds as there are tables at the most.
  while (pending.length > 0) {
    failures = [];
    const left: Table[] = [];
    for (const table of pending) {
      const reason = await fill({ client, target }, table);
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
  const { rows } = await client.query<Omit<Table, "literals"> & { rules: string[] | null }>(query);
  return rows.map(({ table, columns, rules }) => ({
    table,
    columns,
    literals: (rules ?? []).flatMap(findLiterals),
  }));
}

/** The texts and the numbers in an expression, as PostgreSQL writes it. */
function findLiterals(expression: string): string[] {
  return [...expression.matchAll(/'((?:[^']|'')*)'|\b(\d+(?:\.\d+)?)\b/g)].map(
    ([, text, figure]) => text?.replaceAll("''", "'") ?? figure ?? "",
  );
}

/** Where rows are made up, and what else they have to meet. */
interface Place {
  readonly client: pg.ClientBase;
  readonly target: Target | undefined;
}

/**
 * Fills a table with as many columns as its rules let: what stands in a column shows whether it
 * survives, and a default does not, since a column that is created again has it, too.
 *
 * @returns Why the table could not be filled: the reason of the first guess.
 */
async function fill(place: Place, table: Table): Promise<string | undefined> {
  const goal = place.target?.tables.find((one) => one.table === table.table);
  let first: string | undefined;
  for (const guess of guesses(table, goal)) {
    const reason = await fillBy({ ...place, guess, goal }, table);
    if (reason === undefined) return undefined;
    first ??= reason;
  }
  return first;
}

/** A value in SQL for a column of a row. */
type Guess = (column: Column, row: number) => string;

interface Attempt extends Place {
  readonly guess: Guess;
  /** The same table in the target, if it is there. */
  readonly goal: Table | undefined;
}

async function fillBy(attempt: Attempt, table: Table): Promise<string | undefined> {
  const { columns } = table;
  const given = columns.filter(({ required, refers }) => required || refers);
  const others = columns.filter((column) => !column.fixed && !given.includes(column));
  // Rules of several columns can want them all, or none.
  const whole = [...given, ...others.filter(({ made }) => !made)];
  let chosen: readonly Column[] | undefined;
  let reason: string | undefined;
  // The rules to be met can refuse a default, too: so the last try is with everything.
  for (const some of [whole, given, [...given, ...others]]) {
    reason = await insert(attempt, table.table, some, "rollback");
    if (reason === undefined) {
      chosen = some;
      break;
    }
  }
  if (chosen === undefined) return reason;
  for (const column of others.filter((one) => !chosen?.includes(one))) {
    const more: readonly Column[] = [...chosen, column];
    if ((await insert(attempt, table.table, more, "rollback")) === undefined) chosen = more;
  }
  return insert(attempt, table.table, chosen, "commit");
}

/** @returns Why it is impossible. */
async function insert(
  attempt: Attempt,
  table: string,
  columns: readonly Column[],
  end: "commit" | "rollback",
): Promise<string | undefined> {
  const { client, guess } = attempt;
  await client.query("begin");
  try {
    for (let row = 0; row < rowsPerTable; row += 1) {
      const names = columns.map(({ name }) => name).join(", ");
      const values = columns.map((column) => guess(column, row)).join(", ");
      await client.query(
        columns.length === 0
          ? `insert into ${table} default values`
          : `insert into ${table} (${names}) values (${values})`,
      );
    }
    // Here those fail that are checked at the end.
    await client.query("set constraints all immediate");
    await meetTarget(attempt, table);
    await client.query(end);
    return undefined;
  } catch (error) {
    await client.query("rollback");
    return errorMessage(error);
  }
}

/** Tries the rows of a table in the same table of the target, as text; nothing of them stays. */
async function meetTarget({ client, target, goal, guess }: Attempt, table: string): Promise<void> {
  if (target === undefined || goal === undefined) return;
  const { rows } = await client.query<{ row: Record<string, string> }>(
    `select (select jsonb_object_agg(quote_ident(key), value) from jsonb_each_text(to_jsonb(one))) as row from ${table} as one`,
  );
  await target.client.query("begin");
  try {
    for (const [index, { row }] of rows.entries()) {
      const known = goal.columns.filter(({ name, required }) => name in row || required);
      const values = known.map((column) => toSql(row[column.name]) ?? guess(column, index));
      const names = known.map(({ name }) => name).join(", ");
      if (known.length === 0) continue;
      await target.client.query(
        `insert into ${table} (${names}) overriding system value values (${values.join(", ")})`,
      );
    }
  } finally {
    await target.client.query("rollback");
  }
}

function toSql(text: string | null | undefined): string | undefined {
  if (text === undefined) return undefined;
  return text === null ? "null" : `'${text.replaceAll("'", "''")}'`;
}

/** Ways to guess the values of a table, the likeliest first. */
function* guesses(table: Table, goal: Table | undefined): Generator<Guess> {
  const literals = [...new Set([...table.literals, ...(goal?.literals ?? [])])];
  const all = (column: Column) => {
    const now = goal?.columns.find(({ name }) => name === column.name);
    return candidates(column, now, literals);
  };
  const most = Math.max(1, ...table.columns.map((column) => all(column).length));
  const at = (column: Column, row: number, index: number) => {
    const some = all(column);
    return some[Math.min(index, some.length - 1)]?.(row) ?? "null";
  };
  for (let index = 0; index < most; index += 1) yield (column, row) => at(column, row, index);
  // One column may want another guess than the others.
  for (const odd of table.columns) {
    for (let index = 1; index < all(odd).length; index += 1)
      yield (column, row) => at(column, row, column.name === odd.name ? index : 0);
  }
}

/** Values in SQL that a column may take: before, and as it is later. */
function candidates(
  { type, labels, refers }: Column,
  now: Column | undefined,
  literals: readonly string[],
): ((row: number) => string)[] {
  if (refers) {
    const { table, column } = refers;
    // All columns of a reference have to come from the same row.
    return [
      (row) =>
        `(select ${column} from ${table} order by tableoid, ctid offset ${row % rowsPerTable} limit 1)`,
    ];
  }
  const cast = (value: string) => `${toSql(value)}::${type}`;
  if (labels) {
    const own = labels.map((label) => () => cast(label));
    return [(row) => cast(labels[row % labels.length] ?? ""), ...own];
  }
  if (type.endsWith("[]")) return [() => cast("{}")];
  const guess = values[type];
  if (guess === undefined) return [() => `null::${type}`];
  if (guess === text) {
    const later = [...(now?.labels ?? []), ...(now?.type.endsWith("[]") ? ["{}"] : [])];
    const sizes = literals.map(Number).filter((size) => size > 0 && size <= 1000);
    return [
      guess,
      ...[...later, ...literals, "2026-01-01", "10000"].map((value) => () => cast(value)),
      (row) => cast(`a${row}`),
      (row) => cast(String(row)),
      ...sizes.map((size) => (row: number) => cast(String(row).padStart(size, "a"))),
    ];
  }
  if (guess !== number) return [guess];
  const limits = literals.map(Number).filter((limit) => !Number.isNaN(limit));
  return [
    guess,
    ...limits.flatMap((limit) => [
      (row: number) => cast(String(limit + 1 + row)),
      (row: number) => cast(String(limit - 1 - row)),
      () => cast(String(limit)),
    ]),
  ];
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
