import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { errorMessage } from "../../lib/errors.ts";
import { stringifyJson } from "../../lib/json.ts";
import { exactJson } from "../../stack/exact-json.ts";
import { candidatesFor } from "./candidates.ts";
import {
  type Column,
  findTable,
  type OwnedTable,
  sqlName,
  type Table,
  type Tables,
} from "./tables.ts";

/** A row, as JSON, with numbers as parseJson gives them. */
export type Row = Readonly<Record<string, unknown>>;

/** A row that a table accepted. */
export interface MadeUpRow {
  /** The values that were given: the database has one for each other column. */
  readonly given: Row;
  /** The row as it was stored. */
  readonly row: Row;
  /** Whether a user may write each of the given columns. */
  readonly granted: boolean;
  /** Whether rows of other tables had to be made up for it. */
  readonly refers: boolean;
}

/** Why no row, or no change of one, could be made up. */
export class Refusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A new value for a column of a row. */
export interface Change {
  readonly column: string;
  readonly value: unknown;
}

/** Where rows are made up: a connection in a transaction, as a role that row-level security lets by. */
export interface Workshop {
  readonly client: pg.ClientBase;
  readonly tables: Tables;
  /** A number that no row was made up with yet. */
  readonly nextSeed: () => number;
}

/** How many combinations of values are tried for the columns of one constraint. */
const mostCombinations = 1000;

/** How many tables a chain of references may lead through. */
const deepest = 8;

/** Lets the rest of the transaction speak for a user, as PostgREST does: defaults and triggers ask. */
async function speakFor({ client, tables }: Workshop, user: string): Promise<void> {
  await client.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify({ sub: user, role: tables.role }),
  ]);
}

/** Makes up a user with an id, where the owner columns refer to a table of users. */
export async function makeUser(workshop: Workshop, user: string): Promise<MadeUpRow | Refusal> {
  const { users } = workshop.tables;
  await speakFor(workshop, user);
  if (users === undefined) return { given: {}, row: {}, granted: true, refers: false };
  return makeRow(workshop, users, user);
}

/**
 * Makes up a row of a user's, and the rows that it has to refer to.
 *
 * @param keep Whether the row stays; those that it refers to do in any case.
 */
export async function makeRow(
  workshop: Workshop,
  table: Table,
  user: string,
  keep = true,
  depth = 0,
): Promise<MadeUpRow | Refusal> {
  if (depth > deepest) return new Refusal("its references go in a circle");
  await speakFor(workshop, user);
  let refusal: Refusal | undefined;
  for (const strategy of strategiesFor(table)) {
    const made = await undoneUnlessMade(workshop, () =>
      makeRowBy(workshop, { table, user, keep, depth }, strategy),
    );
    if (!(made instanceof Refusal)) return made;
    // What the first one says is about the fewest columns, and so the clearest.
    refusal ??= made;
  }
  return refusal ?? new Refusal("it has no column that can be written");
}

/** A change of a row that its table accepts, to a column that users may change. */
export async function findChange(
  workshop: Workshop,
  table: OwnedTable,
  row: Row,
): Promise<Change | Refusal> {
  const bound = new Set([...table.key, ...table.foreignKeys.flatMap(({ columns }) => columns)]);
  const columns = table.columns.filter(
    ({ name, writable }) => writable && table.grants.update.includes(name) && !bound.has(name),
  );
  let reason = "users may change no column of it";
  for (const column of columns) {
    for (const value of candidatesFor(column, workshop.nextSeed())) {
      const changed = await tryChange(workshop, table, row, { column: column.name, value });
      if (changed === undefined) return { column: column.name, value };
      reason = changed;
    }
  }
  return new Refusal(reason);
}

/** Which columns are given, and which references are made up. */
interface Strategy {
  readonly columns: readonly Column[];
  readonly granted: boolean;
  /** Also the references that may be left out. */
  readonly optional: boolean;
}

interface Order {
  readonly table: Table;
  readonly user: string;
  readonly keep: boolean;
  readonly depth: number;
}

/** Those that users may write come first: then the row can be sent to the API, too. */
function strategiesFor({ columns, grants, foreignKeys }: Table): Strategy[] {
  const writable = columns.filter((column) => column.writable);
  const granted = writable.filter(({ name }) => grants.insert.includes(name));
  const optional = foreignKeys.length > 0 ? [false, true] : [false];
  return [
    ...(granted.length > 0
      ? optional.map((one) => ({ columns: granted, granted: true, optional: one }))
      : []),
    ...optional.map((one) => ({ columns: writable, granted: false, optional: one })),
  ];
}

async function undoneUnlessMade(
  { client }: Workshop,
  make: () => Promise<MadeUpRow | Refusal>,
): Promise<MadeUpRow | Refusal> {
  await client.query("savepoint strategy");
  const made = await make();
  if (made instanceof Refusal) await client.query("rollback to savepoint strategy");
  await client.query("release savepoint strategy");
  return made;
}

async function makeRowBy(
  workshop: Workshop,
  order: Order,
  { columns, granted, optional }: Strategy,
): Promise<MadeUpRow | Refusal> {
  const { table } = order;
  const references = await makeReferences(workshop, order, optional);
  if (references instanceof Refusal) return references;
  const choices = columns.map((column) => ({
    name: column.name,
    values: choicesFor(column, references.values, order, workshop),
  }));
  const impossible = choices.find(({ values }) => values.length === 0);
  if (impossible) return new Refusal(`no value for its column ${impossible.name} can be made up`);
  const tried = new Map<string, number>();
  let picked: Record<string, number> = {};
  for (;;) {
    const given = pick(choices, picked);
    const outcome = await tryInsert(workshop, table, given, order.keep);
    if ("row" in outcome) return { given, row: outcome.row, granted, refers: references.made };
    const next = nextPick(choices, outcome.fault.columns, tried);
    if (next === undefined) return new Refusal(outcome.fault.reason);
    picked = { ...picked, ...next };
  }
}

/** What a column can be given; undefined leaves it out. */
function choicesFor(
  column: Column,
  references: ReadonlyMap<string, unknown>,
  { table, user }: Order,
  workshop: Workshop,
): unknown[] {
  const { name, required } = column;
  const { owned, users } = workshop.tables;
  const owner =
    findTable(owned, table.schema, table.name)?.owner ??
    (users && isTable(users, table.schema, table.name) ? users.id : undefined);
  if (name === owner) return [user];
  if (references.has(name)) return [...(required ? [] : [undefined]), references.get(name)];
  const refers = table.foreignKeys.some(({ columns }) => columns.includes(name));
  if (refers) return required ? [] : [undefined];
  const values = candidatesFor(column, workshop.nextSeed());
  return required ? values : [undefined, ...values];
}

interface Choice {
  readonly name: string;
  readonly values: readonly unknown[];
}

function pick(choices: readonly Choice[], picked: Readonly<Record<string, number>>): Row {
  const entries = choices.map(({ name, values }) => [name, values[picked[name] ?? 0]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The next combination of values for the columns that a constraint is about. */
function nextPick(
  choices: readonly Choice[],
  columns: readonly string[],
  tried: Map<string, number>,
): Record<string, number> | undefined {
  const open = choices.filter(({ name, values }) => columns.includes(name) && values.length > 1);
  const combinations = open.reduce((product, { values }) => product * values.length, 1);
  const key = open.map(({ name }) => name).join();
  const turn = (tried.get(key) ?? 0) + 1;
  tried.set(key, turn);
  if (open.length === 0 || turn >= Math.min(combinations, mostCombinations)) return undefined;
  let rest = turn;
  return Object.fromEntries(
    open.map(({ name, values }) => {
      const index = rest % values.length;
      rest = Math.floor(rest / values.length);
      return [name, index];
    }),
  );
}

/** What the columns of a table's foreign keys hold. */
interface References {
  readonly values: ReadonlyMap<string, unknown>;
  /** Whether rows were made up for it, of other tables than that of users. */
  readonly made: boolean;
}

/** Makes up the rows that a row has to refer to, or also those that it may refer to. */
async function makeReferences(
  workshop: Workshop,
  order: Order,
  optional: boolean,
): Promise<References | Refusal> {
  const { all, users } = workshop.tables;
  const values = new Map<string, unknown>();
  let made = false;
  for (const { schema, table: target, pairs, required } of referencesOf(workshop, order.table)) {
    if (!(optional || required)) continue;
    const parent = await makeParent(workshop, order, findTable(all, schema, target));
    if (parent instanceof Refusal) {
      if (required) return new Refusal(`it refers to ${target}: ${parent.reason}`);
      continue;
    }
    made ||= !isTable(users, schema, target);
    for (const [column, of] of pairs) values.set(column, parent[of]);
  }
  return { values, made };
}

/** The foreign keys of a table, without the owner column, which every reference shares. */
function referencesOf({ tables }: Workshop, table: Table) {
  const owner = findTable(tables.owned, table.schema, table.name)?.owner;
  const needed = new Set(table.columns.filter((one) => one.required).map(({ name }) => name));
  return table.foreignKeys
    .map(({ columns, schema, table: target, targets }) => {
      const pairs = columns
        .map((column, index) => [column, targets[index] ?? ""] as const)
        .filter(([column]) => column !== owner);
      return { schema, table: target, pairs, required: pairs.some(([name]) => needed.has(name)) };
    })
    .filter(({ pairs }) => pairs.length > 0);
}

function isTable(table: Table | undefined, schema: string, name: string): boolean {
  return table !== undefined && table.schema === schema && table.name === name;
}

/** A row to refer to: the user, one of the user's own, or else any. */
async function makeParent(
  workshop: Workshop,
  { table, user, depth }: Order,
  parent: Table | undefined,
): Promise<Row | Refusal> {
  const { owned, users } = workshop.tables;
  if (parent === undefined) return new Refusal("it cannot be written to");
  if (isTable(table, parent.schema, parent.name)) {
    return new Refusal("that is the table itself");
  }
  if (users && isTable(users, parent.schema, parent.name)) return { [users.id]: user };
  if (findTable(owned, parent.schema, parent.name) === undefined) {
    const { rows } = await workshop.client.query<{ row: Row }>({
      text: `select to_jsonb(one) as row from ${sqlName(parent)} as one limit 1`,
      types: exactJson,
    });
    if (rows[0]) return rows[0].row;
  }
  const made = await makeRow(workshop, parent, user, true, depth + 1);
  return made instanceof Refusal ? made : made.row;
}

/** Why a table refused a row, and which columns it was about. */
interface Fault {
  readonly reason: string;
  readonly columns: readonly string[];
}

/** @returns The row as it was stored, or what was wrong. */
async function tryInsert(
  { client }: Workshop,
  table: Table,
  given: Row,
  keep: boolean,
): Promise<{ readonly row: Row } | { readonly fault: Fault }> {
  const columns = Object.keys(given).map((name) => pg.escapeIdentifier(name));
  const name = sqlName(table);
  const source =
    columns.length === 0
      ? "default values"
      : `(${columns.join(", ")}) select ${columns.join(", ")} from jsonb_populate_record(null::${name}, $1)`;
  await client.query("savepoint row");
  try {
    const { rows } = await client.query<{ row: Row }>({
      text: `insert into ${name} as one ${source} returning to_jsonb(one) as row`,
      values: columns.length === 0 ? [] : [stringifyJson(given)],
      types: exactJson,
    });
    // Here those fail that are checked at the end.
    await client.query("set constraints all immediate");
    if (!keep) await client.query("rollback to savepoint row");
    const [inserted] = rows;
    return inserted ?? { fault: { reason: "a trigger drops the row", columns: [] } };
  } catch (error) {
    await client.query("rollback to savepoint row");
    return { fault: { reason: errorMessage(error), columns: columnsOf(error, table) } };
  }
}

/** The columns that an error of PostgreSQL is about. */
function columnsOf(error: unknown, table: Table): string[] {
  if (!(error instanceof pg.DatabaseError)) return [];
  const { column, constraint, dataType, table: of } = error;
  if (of !== undefined && of !== table.name) return [];
  if (column !== undefined) return [column];
  const about = table.constraints.find(({ name }) => name === constraint)?.columns;
  if (about !== undefined) return [...about];
  return table.columns.flatMap(({ name, domain }) => (domain === dataType && domain ? [name] : []));
}

/** @returns Why the change was refused; undefined when it was not. It is undone in any case. */
async function tryChange(
  { client }: Workshop,
  table: OwnedTable,
  row: Row,
  { column, value }: Change,
): Promise<string | undefined> {
  const name = sqlName(table);
  const key = table.key.map((part) => pg.escapeIdentifier(part));
  const match = key.map((part) => `one.${part} = old.${part}`).join(" and ");
  await client.query("savepoint change");
  try {
    const { rows } = await client.query<{ after: Row }>({
      text: `update ${name} as one set ${pg.escapeIdentifier(column)} = new.${pg.escapeIdentifier(column)}
      from jsonb_populate_record(null::${name}, $1) as new, jsonb_populate_record(null::${name}, $2) as old
      where ${match} returning to_jsonb(one) as after`,
      values: [stringifyJson({ [column]: value }), stringifyJson(row)],
      types: exactJson,
    });
    await client.query("set constraints all immediate");
    const after = rows[0]?.after[column];
    return isDeepStrictEqual(after, row[column]) ? "what was tried changes nothing" : undefined;
  } catch (error) {
    return errorMessage(error);
  } finally {
    await client.query("rollback to savepoint change");
  }
}
