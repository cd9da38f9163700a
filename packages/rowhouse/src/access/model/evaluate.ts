import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorCode, errorMessage } from "../../lib/errors.ts";
import { exactJson } from "../../stack/exact-json.ts";
import { actAs, type Caller } from "./caller.ts";
import type { ApiRole, Relation } from "./model.ts";
import { quoteName, sqlName } from "./names.ts";

const searchPath = readFileSync(join(import.meta.dirname, "search_path.sql"), "utf8");

/** Gives the rest of the transaction the search path that a role's request for a relation has. */
export async function useSearchPath(
  client: pg.ClientBase,
  relation: Pick<Relation, "searchPath">,
  role: ApiRole,
): Promise<void> {
  await client.query(searchPath, [role, relation.searchPath]);
}

/** What a condition comes to over a row. */
export interface Outcome {
  /** "fails": the request itself fails. "unknown": only a request can show it. */
  readonly value: "true" | "false" | "null" | "fails" | "unknown";
  /** Of a failure, or why it is unknown. */
  readonly reason: string | null;
  /** The SQLSTATE of a failure. */
  readonly code?: string;
}

/** Rows as they are given to an expression, each as the text of its composite value. */
export type RowText = string;

const systemColumns = [
  { name: "ctid", type: "tid" },
  { name: "tableoid", type: "oid" },
  { name: "xmin", type: "xid" },
  { name: "cmin", type: "cid" },
  { name: "xmax", type: "xid" },
  { name: "cmax", type: "cid" },
] as const;

/** A column that PostgreSQL keeps of every row beside the table's own. */
export type SystemColumn = (typeof systemColumns)[number]["name"];

/** System columns of a row, as text: those that are known. */
export type SystemColumns = Readonly<Partial<Record<SystemColumn, string>>>;

/**
 * Prepares expressions over given rows of a table. It is prepared as the role of the connection
 * and run as another one, as PostgreSQL does with policies: names are looked up once, by the
 * owner, while the rights to tables and functions are those of the caller.
 *
 * The search path has to be that of the role already, else the names are looked up again.
 *
 * @param select A select list over the table's columns.
 * @param system The system columns of the one row. With these, no expression can take the row as a whole.
 * @returns The name under which it is prepared, for the whole session.
 */
export async function prepareOver(
  client: pg.ClientBase,
  table: Pick<Relation, "schema" | "name">,
  select: string,
  system: SystemColumns = {},
): Promise<string> {
  preparations += 1;
  const name = `rowhouse_${preparations}`;
  const text = `prepare ${name} (${sqlName(table)}[]) as select ${select} from ${source(client, system)} as ${quoteName(table.name)}`;
  await client.query(text);
  return name;
}

/** The rows as they are; only where system columns are given, one that holds these, too. */
function source(client: pg.ClientBase, system: SystemColumns): string {
  const columns = systemColumns.flatMap(({ name, type }) => {
    const value = system[name];
    return value === undefined ? [] : [`${client.escapeLiteral(value)}::${type} as ${name}`];
  });
  if (columns.length === 0) return "unnest($1)";
  return `(select given.*, ${columns.join(", ")} from unnest($1) as given)`;
}

let preparations = 0;

/** Runs what is prepared over rows; JSON that it gives is parsed by parseJson. The transaction already acts as the caller. */
export async function runOver<T extends pg.QueryResultRow>(
  client: pg.ClientBase,
  prepared: string,
  rows: readonly RowText[],
): Promise<T[]> {
  // EXECUTE takes no parameters from outside: the rows are a literal in its text.
  const elements = rows.map((row) => `"${row.replace(/["\\]/g, "\\$&")}"`);
  const literal = client.escapeLiteral(`{${elements.join(",")}}`);
  const result = await client.query<T>({
    text: `execute ${prepared}(${literal})`,
    types: exactJson,
  });
  return result.rows;
}

/** An expression, and the row that it is about. */
export interface Expression {
  readonly table: Pick<Relation, "schema" | "name" | "searchPath">;
  readonly sql: string;
  readonly row: RowText;
  /** Finds system columns of the row. It is asked only when the expression needs some. */
  readonly findSystem: (names: readonly SystemColumn[]) => Promise<SystemColumns>;
}

/**
 * Evaluates a condition over one row for a caller.
 *
 * @param asRole Whether it is run with the rights of their role.
 */
export async function evaluate(
  client: pg.ClientBase,
  condition: Expression,
  caller: Caller,
  asRole: boolean,
): Promise<Outcome> {
  const sql = `(${condition.sql})::text`;
  return toOutcome(await evaluateValue(client, { ...condition, sql }, caller, asRole));
}

function toOutcome(result: Value): Outcome {
  if ("reason" in result) {
    const { fault, reason, code } = result;
    return { value: fault, reason, ...(code === undefined ? {} : { code }) };
  }
  return { value: result.value === null ? "null" : toTruth(result.value), reason: null };
}

function toTruth(value: unknown): "true" | "false" {
  return value === "true" ? "true" : "false";
}

/** The value of an expression, or why there is none. */
export type Value = { readonly value: unknown } | Fault;

interface Fault {
  readonly fault: "fails" | "unknown";
  readonly reason: string;
  readonly code: string | undefined;
}

/** Computes an expression over one row for a caller. It leaves no trace in the transaction. */
export async function evaluateValue(
  client: pg.ClientBase,
  expression: Expression,
  caller: Caller,
  asRole: boolean,
): Promise<Value> {
  const compute = (system: SystemColumns) =>
    computeWith(client, { ...expression, system }, caller, asRole);
  const plain = await compute({});
  const named = listSystemColumns(expression.sql);
  if (named.length === 0 || !lacksColumn(plain)) return plain;
  const system = await expression.findSystem(named);
  const value = await compute(system);
  const missing = named.find((name) => system[name] === undefined);
  if (missing === undefined || !lacksColumn(value)) return value;
  const reason = `PostgreSQL settles the ${missing} of a row only when it writes it`;
  return { ...value, fault: "unknown", reason };
}

/** Those that an expression may use: the words can also stand elsewhere in it. */
function listSystemColumns(sql: string): SystemColumn[] {
  const words = sql.split(/\W+/);
  return systemColumns.map(({ name }) => name).filter((name) => words.includes(name));
}

function lacksColumn(value: Value): value is Fault {
  return "fault" in value && value.code === "42703";
}

async function computeWith(
  client: pg.ClientBase,
  { table, sql, row, system }: Omit<Expression, "findSystem"> & { system: SystemColumns },
  caller: Caller,
  asRole: boolean,
): Promise<Value> {
  let prepared: string | undefined;
  await client.query("savepoint evaluation");
  try {
    await useSearchPath(client, table, caller.role);
    prepared = await prepareOver(client, table, `${sql} as value`, system);
    await actAs(client, caller, asRole);
    const [first] = await runOver<{ value: unknown }>(client, prepared, [row]);
    return { value: first?.value ?? null };
  } catch (error) {
    return toFault(error, asRole && prepared !== undefined);
  } finally {
    await client.query("rollback to savepoint evaluation");
    if (prepared !== undefined) await client.query(`deallocate ${prepared}`);
  }
}

/**
 * A condition that cannot be prepared needs more than a row, and one that
 * writes needs more than a transaction that reads: neither shows what the request does. The same
 * for a schema: a policy reaches into it whatever the caller's rights. And a setting that is
 * not known here (42704) can be one that PostgREST makes, like request.method.
 *
 * @param isTheirs Whether it ran, and with the caller's rights.
 */
function toFault(error: unknown, isTheirs: boolean): Fault {
  const code = errorCode(error);
  if (code === "57014") throw error;
  const reason = errorMessage(error);
  const ours =
    !isTheirs ||
    ["25006", "42704"].includes(code ?? "") ||
    reason.startsWith("permission denied for schema");
  return { fault: ours ? "unknown" : "fails", reason, code };
}
