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
  const guess = await pickFitting(
    client,
    { table, column },
    candidates(target, undefined, found.literals),
  );
  // Two rows were made up, and the column may be unique.
  return [
    // Triggers would change what must survive, and a person decides whether they run.
    "set local session_replication_role = replica",
    `update ${table} set ${column} = ${guess?.(0)}`,
    `update ${table} set ${column} = ${guess?.(1)} where ctid = (select max(ctid) from ${table})`,
    "set local session_replication_role = origin",
  ];
}

type Candidate = (row: number) => string;

/** The first of some values that the column's own checks let pass; the first of all when none does. */
async function pickFitting(
  client: pg.ClientBase,
  { table, column }: { readonly table: string; readonly column: string },
  guesses: readonly Candidate[],
): Promise<Candidate | undefined> {
  const { rows } = await client.query<{ check: string }>(
    `select pg_get_expr(conbin, conrelid) as check
     from pg_catalog.pg_constraint
     join pg_catalog.pg_attribute on attrelid = conrelid and attnum = conkey[1]
     where conrelid = $1::regclass and contype = 'c' and cardinality(conkey) = 1
     and quote_ident(attname) = $2`,
    [table, column],
  );
  if (rows.length === 0) return guesses[0];
  const checks = rows.map(({ check }) => `(${check})`).join(" and ");
  for (const guess of guesses) {
    const made = `(values (${guess(0)}), (${guess(1)})) as made (${column})`;
    try {
      const fits = await client.query<{ fit: boolean }>(
        `select bool_and(coalesce(${checks}, true)) as fit from ${made}`,
      );
      if (fits.rows[0]?.fit) return guess;
    } catch {
      // A value that is none of the type, or that a check cannot take: the next one.
    }
  }
  return guesses[0];
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
  const tables = await listTables(client);
  await useOwnSearchPath(client);
  return { client, tables };
}

/**
 * Makes up rows in every table of a throwaway database, so that a migration has something to
 * destroy: by type and by reference, and by default where the rules want it.
 *
 * @param target Where a migration leads: rows have to meet its rules as well as those that are there.
 * @returns The tables whose rules no made-up row meets.
 */
export async function makeRows(client: pg.ClientBase, target?: Target): Promise<WithoutRows[]> {
  let pending = parentsFirst(await listTables(client));
  await useOwnSearchPath(client);
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

/** Tables behind those that they refer to, except in a circle: without a parent, each guess fails. */
function parentsFirst(tables: readonly Table[]): Table[] {
  const [seen, ordered] = [new Set<Table>(), [] as Table[]];
  const visit = (table: Table) => {
    if (seen.has(table)) return;
    seen.add(table);
    const parents = new Set(table.columns.map(({ refers }) => refers?.table));
    for (const parent of tables) if (parents.has(parent.table)) visit(parent);
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}

/** Triggers and checks find what they name as they do in production. */
async function useOwnSearchPath(client: pg.ClientBase): Promise<void> {
  await client.query("reset search_path");
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
  const empty = await findEmptyParent(place.client, table);
  if (empty !== undefined) return `it refers to ${empty}, which has no rows`;
  const goal = place.target?.tables.find((one) => one.table === table.table);
  let first: string | undefined;
  for (const guess of guesses(table, goal)) {
    const reason = await fillBy({ ...place, table, guess, goal });
    if (reason === undefined) return undefined;
    first ??= reason;
    // A trigger on another table made rows here: they are as good.
    if (await hasRows(place.client, table.table)) return undefined;
  }
  return first;
}

/** A table without rows that each row of another has to refer to. */
async function findEmptyParent(
  client: pg.ClientBase,
  { table, columns }: Table,
): Promise<string | undefined> {
  for (const { required, refers } of columns) {
    const parent = required ? refers?.table : undefined;
    if (parent !== undefined && parent !== table && !(await hasRows(client, parent))) return parent;
  }
  return undefined;
}

async function hasRows(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rowCount } = await client.query(`select from ${table} limit 1`);
  return rowCount !== 0;
}

/** A value in SQL for a column of a row. */
type Guess = (column: Column, row: number) => string;

interface Attempt extends Place {
  readonly table: Table;
  readonly guess: Guess;
  /** The same table in the target, if it is there. */
  readonly goal: Table | undefined;
}

async function fillBy(attempt: Attempt): Promise<string | undefined> {
  const { columns } = attempt.table;
  const given = columns.filter(({ required, refers }) => required || refers);
  const others = columns.filter((column) => !column.fixed && !given.includes(column));
  // Rules of several columns can want them all, or none.
  const whole = [...given, ...others.filter(({ made }) => !made)];
  let chosen: readonly Column[] | undefined;
  let reason: string | undefined;
  // The rules to be met can refuse a default, too: so the last try is with everything.
  for (const some of [whole, given, [...given, ...others]]) {
    reason = await insert(attempt, some, "rollback");
    if (reason === undefined) {
      chosen = some;
      break;
    }
  }
  if (chosen === undefined) return reason;
  for (const column of others.filter((one) => !chosen?.includes(one))) {
    const more: readonly Column[] = [...chosen, column];
    if ((await insert(attempt, more, "rollback")) === undefined) chosen = more;
  }
  return insert(attempt, chosen, "commit");
}

/** @returns Why it is impossible. */
async function insert(
  attempt: Attempt,
  columns: readonly Column[],
  end: "commit" | "rollback",
): Promise<string | undefined> {
  const {
    client,
    guess,
    table: { table },
  } = attempt;
  const names = columns.map(({ name }) => name).join(", ");
  const rows = Array.from({ length: rowsPerTable }, (_, row) => {
    const values = columns.map((column) => guess(column, row)).join(", ");
    return columns.length === 0
      ? `insert into ${table} default values`
      : `insert into ${table} (${names}) values (${values})`;
  });
  // With the constraints that a commit would check; and sent as one, since many guesses are tried.
  const tried = ["begin", ...rows, "set constraints all immediate"].join(";\n");
  try {
    await client.query(tried);
    await meetTarget(attempt);
    await client.query(end);
    return undefined;
  } catch (error) {
    await client.query("rollback");
    return errorMessage(error);
  }
}

/** Tries the rows of a table in the same table of the target, as text; nothing of them stays. */
async function meetTarget({ client, target, goal, table, guess }: Attempt): Promise<void> {
  if (target === undefined || goal === undefined) return;
  const texts = table.columns.map(({ name }) => `${name}::text as ${name}`).join(", ");
  const { rows } = await client.query<Record<string, string | null>>(
    `select ${texts} from ${table.table}`,
  );
  const held = new Set(table.columns.map(({ name }) => name));
  const known = goal.columns.filter(({ name, required }) => held.has(name) || required);
  if (known.length === 0) return;
  const names = known.map(({ name }) => name).join(", ");
  await target.client.query("begin");
  try {
    for (const [index, row] of rows.entries()) {
      // There are no rows to refer to, and nothing asks for them.
      const make = (column: Column) => guess({ ...column, refers: null }, index);
      const values = known.map((column) => toSql(row[unquote(column.name)]) ?? make(column));
      await target.client.query(
        `insert into ${table.table} (${names}) overriding system value values (${values.join(", ")})`,
      );
    }
  } finally {
    await target.client.query("rollback");
  }
}

/** A column's name, as results have it. */
function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
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
    const kept = labels.filter((label) => now?.labels?.includes(label) ?? true);
    const lasting = kept.length > 0 ? kept : labels;
    const own = lasting.map((label) => () => cast(label));
    return [(row) => cast(lasting[row % lasting.length] ?? ""), ...own];
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
