import type pg from "pg";
import { type Asker, findAsker } from "../access/asker.ts";
import { type Access, accessOf, type Gate } from "../access/gate.ts";
import {
  type AccessModel,
  type ApiRole,
  type Policy,
  type Relation,
  readAccess,
  type Verb,
} from "../access/model.ts";
import { tableNamed } from "../access/names.ts";
import { assertSeesRows, canBecome, readingOnly } from "../access/session.ts";
import { checkGates } from "./check.ts";
import { type CheckedGate, type Decision, decide, missingGrant } from "./decide.ts";
import {
  computed,
  findRows,
  nameColumn,
  type Patch,
  patched,
  type Row,
  rowInvalid,
  type Scene,
} from "./rows.ts";

/** May someone do this? */
export interface Question {
  /** An email address, a user's id, or "anonymous". */
  readonly as: string;
  readonly verb: Verb;
  readonly table: string;
  /** Null asks for any row. */
  readonly id: string | null;
  /** The user whose row it is; null means everybody's. */
  readonly owner: string | null;
  /** A row to insert, or the columns that an update changes; null for neither. */
  readonly row: Patch | null;
}

/** The answer for one row. */
interface RowAnswer extends Decision {
  /** The row that is there, or that would be inserted; null when none was named. */
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly gates: readonly CheckedGate[];
}

/** What `rowhouse why` tells. */
export interface Answer {
  readonly asker: Pick<Asker, "role" | "id" | "email" | "label">;
  readonly verb: Verb;
  readonly table: string;
  /** The columns that the role may name; null when the verb is not granted at all. */
  readonly columns: readonly string[] | null;
  readonly columnsRefused: readonly string[];
  /** One for each row with the id, and at least one. */
  readonly rows: readonly RowAnswer[];
  readonly otherPolicies: readonly { readonly policy: Policy; readonly reason: string }[];
  /** False when the conditions could be evaluated with the rights of the database's owner only. */
  readonly evaluatedAsRole: boolean;
}

/**
 * Tells whether someone may do something with a row, and which grant or policy says so.
 *
 * @param seconds How long one statement may take.
 * @throws RowhouseError user_unknown, user_ambiguous, table_unknown, row_unknown, row_invalid,
 *   rows_hidden, database_not_migrated, query_timeout, database_unreachable, database_refused
 */
export async function why(url: string, question: Question, seconds = 30): Promise<Answer> {
  return readingOnly(url, seconds, async (client) =>
    ask(client, await readAccess(client), question),
  );
}

/**
 * The same within a transaction that reads.
 *
 * @param model Who may do what in that database.
 */
export async function ask(
  client: pg.ClientBase,
  model: AccessModel,
  question: Question,
): Promise<Answer> {
  assertMakesSense(question);
  const asker = await findAsker(client, question.as);
  const relation = tableNamed(model, question.table);
  assertColumns(relation, question);
  const access = accessOf(relation, asker.role, question.verb);
  const asRole = await canBecome(client, asker.role);
  const context: Context = { client, asker, asRole, relation, access, question };
  const rows: RowAnswer[] = [];
  for (const row of await rowsMeant(context)) rows.push(await answer(context, row));
  return { ...outline(context), rows };
}

interface Context extends Scene {
  readonly access: Access;
  readonly question: Question;
}

function assertMakesSense({ verb, id, row }: Question): void {
  if (row === null) return;
  if (verb === "select" || verb === "delete") throw rowInvalid(`A ${verb} takes no --row.`);
  if (verb === "insert" && id !== null)
    throw rowInvalid("An insert takes an id or --row, not both.");
  if (verb === "update" && id === null)
    throw rowInvalid("An update with --row needs the row's id.");
}

function assertColumns({ name, columns }: Relation, { verb, row }: Question): void {
  for (const key of Object.keys(row ?? {})) {
    const column = columns.find((one) => one.name === key);
    if (column === undefined) {
      const known = columns.map((one) => one.name).join(", ");
      throw rowInvalid(`api.${name} has no column ${key}: its columns are ${known}.`);
    }
    if (column.generated || column.identity) {
      throw rowInvalid(`PostgreSQL itself fills ${key}: no ${verb} can set it.`);
    }
  }
}

/** The rows that the question is about: [null] when it is about any. */
async function rowsMeant(context: Context): Promise<(Row | null)[]> {
  const { client, asker, asRole, relation, question } = context;
  if (question.id !== null) {
    await assertSeesRows(client, relation.name);
    return findRows(client, relation, question.id, question.owner);
  }
  if (question.row === null) return [null];
  const empty = await patched(client, relation, null, question.row);
  const given = Object.keys(question.row);
  const missing = relation.columns.filter((one) => !one.generated && !given.includes(one.name));
  const defaults = await computed({ client, relation, asker, asRole }, empty, missing);
  return [await withGenerated(context, await patched(client, relation, empty, defaults))];
}

/** The row that an update leaves, or the one that is inserted. */
async function resultOf(context: Context, row: Row): Promise<Row> {
  const { client, relation, question } = context;
  if (question.verb !== "update" || question.row === null) return row;
  return withGenerated(context, await patched(client, relation, row, question.row));
}

async function withGenerated(context: Context, row: Row): Promise<Row> {
  const generated = context.relation.columns.filter((one) => one.generated);
  if (generated.length === 0) return row;
  return patched(context.client, context.relation, row, await computed(context, row, generated));
}

async function answer(context: Context, row: Row | null): Promise<RowAnswer> {
  const { relation, access, question } = context;
  const written = Object.keys(question.row ?? {});
  const missing = missingGrant(relation, access, { id: nameColumn(relation), written });
  const result = row === null ? null : await resultOf(context, row);
  const gates = [
    ...(await checkGates(context, access.row, "row", row)),
    ...(await checkGates(context, access.result, "result", result)),
  ];
  const decision: Decision =
    missing === null ? decide(question.verb, gates) : { verdict: "no", reason: missing };
  return { ...decision, row: row?.values ?? null, gates };
}

/** All that is the same for each row. */
function outline({ asker, asRole, relation, access, question }: Context): Omit<Answer, "rows"> {
  const { role, id, email, label } = asker;
  const { columns } = access;
  const all = question.verb === "delete" ? [] : relation.columns.map(({ name }) => name);
  const counted = new Set([...access.row, ...access.result].flatMap(policiesOf));
  return {
    asker: { role, id, email, label },
    verb: question.verb,
    table: `api.${relation.name}`,
    columns,
    columnsRefused: all.filter((column) => !columns?.includes(column)),
    otherPolicies: relation.policies
      .filter((policy) => !counted.has(policy))
      .map((policy) => ({ policy, reason: reasonToIgnore(policy, asker.role) })),
    evaluatedAsRole: asRole,
  };
}

function policiesOf({ permissive, restrictive }: Gate): Policy[] {
  return [...permissive, ...restrictive].map(({ policy }) => policy);
}

function reasonToIgnore({ appliesTo, roles, verb, using, check }: Policy, role: ApiRole): string {
  if (!appliesTo.includes(role)) return `for the role ${roles.join(", ")}`;
  return using === null && check === null ? "it has no condition" : `for ${verb}`;
}
