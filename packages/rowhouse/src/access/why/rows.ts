import type pg from "pg";
import { errorCode, errorMessage, RowhouseError } from "../../lib/errors.ts";
import { parseJsonObject, stringifyJson } from "../../lib/json.ts";
import { exactJson } from "../../stack/exact-json.ts";
import type { Caller } from "../model/caller.ts";
import { evaluateValue, type RowText, type Value } from "../model/evaluate.ts";
import type { Relation } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";
import type { OwnRights } from "./rights.ts";
import { parseRowName } from "./row-name.ts";
import { findNewSystemColumns, type Place } from "./system-columns.ts";

/** A row of a table, read as the owner of the database. */
export interface Row {
  readonly text: RowText;
  /** As JSON, with numbers as parseJson gives them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the table holds it, or held it before a change; null for a new row. */
  readonly place: Place | null;
}

/** A select list for a row. */
function rowColumns(alias: string): string {
  const place = `json_build_object('ctid', ${alias}.ctid, 'tableoid', ${alias}.tableoid::text)`;
  return `(${alias}.*)::text as text, to_json(${alias}.*) as values, ${place} as place`;
}

/** Changed columns, or those of a new row, with numbers as parseJson gives them. */
export type Patch = Readonly<Record<string, unknown>>;

/** The columns that name a row together: id, else the key, less the owner. */
export function listNameColumns({ columns, key, owner }: Relation): readonly string[] {
  if (columns.some(({ name }) => name === "id")) return ["id"];
  const others = key.filter((name) => name !== owner);
  return others.length === 1 ? others : key;
}

/**
 * The columns that name a row together.
 *
 * @throws RowhouseError row_unknown when there are none.
 */
export function nameColumns(relation: Relation): readonly string[] {
  const columns = listNameColumns(relation);
  if (columns.length > 0) return columns;
  throw new RowhouseError(
    "row_unknown",
    `${relation.fullName} has no column id, and no other one that names its rows.`,
    "Ask without an id, or about an insert with --row.",
  );
}

/**
 * Makes sure that values can stand in columns.
 *
 * @throws RowhouseError row_unknown
 */
export async function assertFits(
  client: pg.ClientBase,
  { columns }: Relation,
  names: readonly string[],
  values: readonly string[],
): Promise<void> {
  const types = names.map((name) => columns.find((one) => one.name === name)?.type ?? "text");
  const casts = types.map((type, index) => `$${index + 1}::text::${type}`);
  await orInvalid(client, rowUnknown, () =>
    client.query(`select ${casts.join(", ")}`, [...values]),
  );
}

/**
 * Finds the rows with an id: of an owned table, each user can have one.
 *
 * @param id Of a key of several columns, their values as in a line of CSV; that of the owner may be left out.
 * @param owner The user whose row it is; null for any user's.
 * @throws RowhouseError row_unknown
 */
export async function findRows(
  client: pg.ClientBase,
  relation: Relation,
  id: string,
  owner: string | null,
): Promise<Row[]> {
  const { key } = relation;
  const columns = nameColumns(relation);
  if (owner !== null) assertOwned(relation);
  const isWhole = columns.length < key.length && parseRowName(id)?.length === key.length;
  try {
    return await findRowsBy(client, relation, columns, id, owner);
  } catch (error) {
    if (!isWhole || !(error instanceof RowhouseError)) throw error;
    // A text with commas in it is no list: so it is tried first.
    return await findRowsBy(client, relation, key, id, owner).catch(() => {
      throw error;
    });
  }
}

/**
 * Makes sure that the owner of a row can be asked for.
 *
 * @returns The column of the owner.
 * @throws RowhouseError row_unknown
 */
export function assertOwned({ fullName, owner }: Relation): string {
  if (owner === null) throw rowUnknown(`The rows of ${fullName} have no owner.`);
  return owner;
}

async function findRowsBy(
  client: pg.ClientBase,
  relation: Relation,
  columns: readonly string[],
  id: string,
  owner: string | null,
): Promise<Row[]> {
  const { fullName } = relation;
  const values = splitId(id, columns, fullName);
  const alias = quoteName(relation.name);
  const named = [...columns, ...(owner === null ? [] : [relation.owner ?? ""])];
  const conditions = named.map((column, index) => `${quoteName(column)} = $${index + 1}`);
  const text = `select ${rowColumns(alias)}
    from ${sqlName(relation)} as ${alias} where ${conditions.join(" and ")} order by 1 limit 100`;
  const rows = await orInvalid(client, rowUnknown, () =>
    client.query<Row>({
      text,
      values: owner === null ? [...values] : [...values, owner],
      types: exactJson,
    }),
  );
  if (rows.length === 0) {
    const whose = owner === null ? "" : ` of the user ${owner}`;
    throw rowUnknown(`${fullName} has no row${whose} with the ${columns.join(", ")} ${id}.`);
  }
  return rows;
}

/** The values of the columns that name a row. */
export function splitId(id: string, columns: readonly string[], table: string): readonly string[] {
  const values = columns.length === 1 ? [id] : parseRowName(id);
  if (values?.length === columns.length) return values;
  const holds = values?.length === 1 ? "one value" : `${values?.length} values`;
  throw new RowhouseError(
    "row_unknown",
    `A row of ${table} is named by ${columns.length} columns, and ${id} holds ${values === null ? "a quote that does not end a value" : holds}.`,
    `Give the values of ${columns.join(", ")}, with commas between them; one that holds a comma in quotes, as in CSV: '"a,b",7'.`,
  );
}

/** The row with the primary key of another row; null when there is none, or no key. */
export async function findConflict(
  client: pg.ClientBase,
  relation: Relation,
  row: Row,
): Promise<Row | null> {
  const alias = quoteName(relation.name);
  const columns = relation.key.map(
    (name) => `${alias}.${quoteName(name)} = made.${quoteName(name)}`,
  );
  if (columns.length === 0) return null;
  const { rows } = await client.query<Row>({
    text: `select ${rowColumns(alias)}
      from ${sqlName(relation)} as ${alias}, (select ($1::text::${sqlName(relation)}).*) as made
      where ${columns.join(" and ")}`,
    values: [row.text],
    types: exactJson,
  });
  return rows[0] ?? null;
}

/**
 * A row with changed columns, as the table would hold it, before triggers.
 *
 * @param row The row to change; null for a new one.
 * @throws RowhouseError row_invalid when a value does not fit its column.
 */
export async function applyPatch(
  client: pg.ClientBase,
  relation: Relation,
  row: Row | null,
  patch: Patch,
): Promise<Row> {
  const type = sqlName(relation);
  const text = `select row.*::text as text, to_json(row.*) as values
    from json_populate_record($1::text::${type}, $2::json) as row`;
  const [made] = await orInvalid(client, rowInvalid, () =>
    client.query<Row>({
      text,
      values: [row?.text ?? null, stringifyJson(patch)],
      types: exactJson,
    }),
  );
  return { ...(made as Row), place: row?.place ?? null };
}

/**
 * Computes what PostgreSQL puts into columns that the request does not set: defaults, and generated columns.
 *
 * @param columns The columns; those without a default are left out.
 */
export async function computeColumns(
  scene: Scene,
  row: Row,
  columns: Relation["columns"],
): Promise<Patch> {
  const patch: Record<string, unknown> = {};
  for (const column of columns) {
    if (column.default === null) continue;
    const result = await evaluateDefault(scene, row, column);
    // A default that writes, like the next number of a sequence, is left null.
    if ("value" in result) patch[column.name] = result.value;
  }
  return patch;
}

/** What PostgreSQL puts into one such column of a row, as JSON, or why it cannot. */
export async function evaluateDefault(
  { client, relation, caller, asRole }: Scene,
  row: Row,
  column: Relation["columns"][number],
): Promise<Value> {
  const sql = `to_json(${column.default ?? "null::text"})`;
  const findSystem = () => findNewSystemColumns(client, relation, row.place);
  const expression = { table: relation, sql, row: row.text, findSystem };
  return evaluateValue(client, expression, caller, asRole);
}

/** Who asks about which table, and whether with the rights of their role. */
export interface Scene {
  readonly client: pg.ClientBase;
  readonly relation: Relation;
  readonly caller: Caller;
  readonly asRole: boolean;
  /** What the session can know without that; null when it acts as the role. */
  readonly rights: OwnRights | null;
}

/** Runs a query whose parameters are a person's words; when they do not fit, it is their error. */
async function orInvalid<T extends pg.QueryResultRow>(
  client: pg.ClientBase,
  fault: (message: string) => RowhouseError,
  query: () => Promise<pg.QueryResult<T>>,
): Promise<T[]> {
  await client.query("savepoint words");
  try {
    return (await query()).rows;
  } catch (error) {
    if (!/^2[23]/.test(errorCode(error) ?? "")) throw error;
    await client.query("rollback to savepoint words");
    throw fault(`PostgreSQL does not take it: ${errorMessage(error)}.`);
  }
}

function rowUnknown(message: string): RowhouseError {
  return new RowhouseError("row_unknown", message, "Give the id of a row that is there.");
}

const giveRow = `Give --row a JSON object of columns, like '{"title": "Buy milk"}'.`;

/** A row in --row that the table cannot hold, or an option that does not go with the verb. */
export function rowInvalid(message: string, remedy = giveRow): RowhouseError {
  return new RowhouseError("row_invalid", message, remedy);
}

/**
 * What `--row` holds.
 *
 * @throws RowhouseError row_invalid
 */
export function parseRow(json: string): Patch {
  return parseJsonObject(json, "--row", rowInvalid);
}
