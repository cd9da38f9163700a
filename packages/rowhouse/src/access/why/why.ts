import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";
import { type Caller, claimsCaller, findCaller } from "../model/caller.ts";
import {
  type AccessModel,
  type ApiRole,
  type Policy,
  readAccess,
  type Verb,
} from "../model/model.ts";
import { findTable, sqlName } from "../model/names.ts";
import { type Access, getAccess, type PolicyCheck } from "../model/policy-check.ts";
import { assertSeesRows, canBecome, type Obstacle, withReadOnly } from "../model/session.ts";
import { checkAccess, checkReturned, checkUpsert } from "./check.ts";
import {
  type CheckResult,
  type Decision,
  decide,
  failure,
  missingFilterGrant,
  missingGrant,
} from "./decide.ts";
import { findMemberships, type Membership } from "./membership.ts";
import { assertColumns, assertMakesSense, type Question } from "./question.ts";
import { findRecursion } from "./recursion.ts";
import type { OwnRights } from "./rights.ts";
import {
  applyPatch,
  computeColumns,
  evaluateDefault,
  findConflict,
  findRows,
  listNameColumns,
  type Patch,
  type Row,
  type Scene,
} from "./rows.ts";
import { decideView } from "./view.ts";

/** The answer for one row. */
export interface RowAnswer extends Decision {
  /** Of an update or delete of any row that may: whether it may also name its rows; else null. */
  readonly filtered: Decision | null;
  /** Of an update or delete of a named row: whether one that names no row, and reads none, may; else null. */
  readonly unfiltered: Decision | null;
  /** The row that is there, or that would be inserted; null when none was named. */
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly checks: readonly CheckResult[];
  /** What the policies find out about the caller in tables of members. */
  readonly memberships: readonly Membership[];
}

/** The result of `rowhouse why`. */
export interface Answer {
  readonly caller: Caller;
  readonly verb: Verb;
  /** Whether the insert updates the row in its way. */
  readonly upsert: boolean;
  /** Whether the request wants the whole row back. */
  readonly returning: boolean;
  readonly table: string;
  /** The columns of its primary key, and the one that holds the user whose row it is. */
  readonly key: readonly string[];
  readonly owner: string | null;
  /** The columns that the role may name; null when the verb is not granted at all. */
  readonly columns: readonly string[] | null;
  readonly columnsRefused: readonly string[];
  /** One for each row with the id, and at least one. */
  readonly rows: readonly RowAnswer[];
  readonly otherPolicies: readonly { readonly policy: Policy; readonly reason: string }[];
  /** The claims that the policies read and the token lacks. */
  readonly claimsMissing: readonly string[];
  /** The function that runs before the request, and may refuse it; null without one. It is not tried. */
  readonly preRequest: string | null;
  /** False when the conditions could be evaluated with the rights of the database's owner only. */
  readonly evaluatedAsRole: boolean;
  /** That the session may not become the caller's role, and what to do; null when it may. */
  readonly obstacle: Obstacle | null;
}

/** The same before it is known what the token lacks. */
type Asked = Omit<Answer, "claimsMissing">;

/**
 * Finds out whether a user may do something with a row, and which grant or policy decides.
 *
 * @param seconds How long one statement may take.
 * @throws RowhouseError user_unknown, user_ambiguous, table_unknown, row_unknown, row_invalid,
 *   rows_hidden, database_not_migrated, query_timeout, database_unreachable, database_refused
 */
export async function why(url: string, question: Question, seconds = 30): Promise<Answer> {
  // The parser of SQL takes a while to load, which is better spent while the database is asked.
  const parser = import("./missing-claims.ts");
  return withReadOnly(url, seconds, async (client, names) => {
    const model = await readAccess(client, names);
    const answer = await ask(client, model, question);
    const { findMissingClaims } = await parser;
    const claimsMissing = await findMissingClaims(client, model, question, answer.caller);
    return { ...answer, claimsMissing };
  });
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
): Promise<Asked> {
  assertMakesSense(question);
  const caller = await findAsked(client, model, question);
  const relation = findTable(model, question.table);
  assertColumns(relation, question);
  const access = getAccess(relation, caller.role, question.verb);
  const asRole = await canBecome(client, caller.role);
  const rights = asRole ? null : await findOwnRights(client, model, caller);
  const scene: Scene = { client, caller, asRole, rights, relation };
  const context: Context = { ...scene, access, question, names: model.names };
  if (relation.kind === "view") {
    const decision = await decideView(context, access, question);
    const nothing = { filtered: null, unfiltered: null, checks: [], memberships: [] };
    return { ...outline(context), rows: [{ ...decision, ...nothing }] };
  }
  const recursion = await findRecursions(context);
  const rows: RowAnswer[] = [];
  for (const row of await findSubjects(context)) rows.push(await answer(context, recursion, row));
  return { ...outline(context), rows };
}

/** Loads the parser of SQL only where it is needed. */
async function findOwnRights(
  client: pg.ClientBase,
  model: AccessModel,
  { role }: Caller,
): Promise<OwnRights> {
  const { readOwnRights } = await import("./rights.ts");
  return readOwnRights(client, model, role);
}

async function findAsked(
  client: pg.ClientBase,
  { names }: AccessModel,
  { as, claims = {} }: Question,
): Promise<Caller> {
  if (as === undefined) return claimsCaller(names, claims);
  const found = await findCaller(client, names, as);
  // A further claim may replace email, which a token need not hold.
  return { ...found, claims: { ...found.claims, ...claims } };
}

interface Context extends Scene {
  readonly access: Access;
  readonly question: Question;
  readonly names: ApiNames;
}

/** Why the request fails whatever the row, without and with a filter; null where it does not. */
interface Recursion {
  readonly always: Decision | null;
  readonly filtered: Decision | null;
}

async function findRecursions(context: Context): Promise<Recursion> {
  const find = (filters: boolean) =>
    context.rights === null
      ? findRecursion(context, context.question, filters)
      : context.rights.findRecursion(context.relation, listChecks(context, filters));
  const always = await find(false);
  const filters = context.access.filter !== null && always === null;
  return { always, filtered: filters ? await find(true) : always };
}

/** What a request has to pass, for a row or another. */
function listChecks(
  { relation, caller: { role }, access, question }: Context,
  filters: boolean,
): PolicyCheck[] {
  const further = (["update", "select"] as const).flatMap((verb) => {
    const { row, result } = getAccess(relation, role, verb);
    return question.upsert || (question.returning && verb === "select") ? [...row, ...result] : [];
  });
  const filter = filters && access.filter !== null ? [access.filter.check] : [];
  return [...access.row, ...access.result, ...filter, ...further];
}

/** The rows that the question is about: [null] when it is about any. */
async function findSubjects(context: Context): Promise<(Row | null)[]> {
  const { client, relation, question } = context;
  if (question.id !== null) {
    await assertSeesRows(client, sqlName(relation));
    return findRows(client, relation, question.id, question.owner);
  }
  if (question.row === null) return [null];
  const empty = await applyPatch(client, relation, null, question.row);
  const given = Object.keys(question.row);
  const missing = relation.columns.filter((one) => !one.generated && !given.includes(one.name));
  const defaults = await computeColumns(context, empty, missing);
  return [await addGenerated(context, await applyPatch(client, relation, empty, defaults))];
}

/** The row that an update leaves, or the one that is inserted. */
async function buildResult(context: Context, row: Row): Promise<Row> {
  const { question } = context;
  if (question.verb !== "update" || question.row === null) return row;
  return patchRow(context, row, question.row);
}

async function patchRow(context: Context, row: Row, patch: Patch): Promise<Row> {
  return addGenerated(context, await applyPatch(context.client, context.relation, row, patch));
}

async function addGenerated(context: Context, row: Row): Promise<Row> {
  const generated = context.relation.columns.filter((one) => one.generated);
  if (generated.length === 0) return row;
  return applyPatch(
    context.client,
    context.relation,
    row,
    await computeColumns(context, row, generated),
  );
}

async function answer(context: Context, recursion: Recursion, row: Row | null): Promise<RowAnswer> {
  const { relation, access, question } = context;
  const written = Object.keys(question.row ?? {});
  const checks = await runAllChecks(context, row);
  const always = checks.filter(({ onlyFiltered }) => question.returning || !onlyFiltered);
  const missing =
    recursion.always ??
    missingGrant(relation, access, written) ??
    missingFurtherGrant(context, written) ??
    unwritable(context) ??
    (await failingDefault(context, row));
  // What an upsert leaves is as it would be after an update.
  const decided = decide(question.upsert ? "update" : question.verb, always, missing);
  const decision =
    relation.kind === "materialized view" && decided.verdict === "yes"
      ? { ...decided, reason: heldRows }
      : decided;
  const unreadable =
    recursion.filtered ?? missingFilterGrant(relation, access, listNameColumns(relation));
  const named =
    access.filter === null || question.returning || decision.verdict === "no"
      ? null
      : decide(question.verb, checks, unreadable);
  // What names its row is a request with a filter.
  const asked =
    named !== null && question.id !== null
      ? { ...(named.verdict === decision.verdict ? decision : named), unfiltered: decision }
      : { ...decision, filtered: named };
  const { client, caller } = context;
  const { usersTable } = context.names;
  const memberships =
    row === null || caller.id === null || usersTable === undefined
      ? []
      : await findMemberships(client, usersTable, relation, checks, row, caller.id);
  const values = row?.values ?? null;
  return { filtered: null, unfiltered: null, ...asked, row: values, checks, memberships };
}

const heldRows =
  "a materialized view has no policies: it shows every row that it holds, and it is granted.";

/** Why no request changes it, whatever is granted; null where one can. */
function unwritable({ relation: { kind, name }, question: { verb } }: Context): Decision | null {
  if (kind !== "materialized view" || verb === "select") return null;
  return failure(`PostgreSQL raises 42809 (cannot change materialized view "${name}").`);
}

async function runAllChecks(context: Context, row: Row | null): Promise<CheckResult[]> {
  const { client, relation, access, question } = context;
  if (question.upsert) {
    const existing = row === null ? null : await findConflict(client, relation, row);
    const isFree = row !== null && existing === null;
    const result = existing && (await patchRow(context, existing, question.row ?? {}));
    const conflict = isFree ? { existing: undefined, result: undefined } : { existing, result };
    return checkUpsert(context, access, { made: row, ...conflict });
  }
  const result = row === null ? null : await buildResult(context, row);
  const checks = await checkAccess(context, access, row, result);
  const returned = question.returning && question.verb === "insert";
  return returned ? [...checks, ...(await checkReturned(context, access, result))] : checks;
}

/** What is missing of grants for an upsert, and to give the row back; null when nothing is. */
function missingFurtherGrant(
  { relation, access: { role }, question }: Context,
  written: readonly string[],
): string | null {
  const all = relation.columns.map(({ name }) => name);
  const need = (verb: Verb, columns: readonly string[]) =>
    missingGrant(relation, getAccess(relation, role, verb), columns);
  // It reads the key, and by "set title = excluded.title" whatever it writes.
  const read = [...new Set([...relation.key, ...written])];
  const upsert = question.upsert ? (need("update", written) ?? need("select", read)) : null;
  return upsert ?? (question.returning ? need("select", all) : null);
}

/** Why a new row gets no default; null when it gets all, or was not made here. */
async function failingDefault(context: Context, row: Row | null): Promise<Decision | null> {
  const { relation, question } = context;
  const { verb, row: given } = question;
  if (verb !== "insert" || given === null || row === null) return null;
  for (const column of relation.columns.filter(({ name }) => !Object.hasOwn(given, name))) {
    const judged = await context.rights?.judgeDefault(relation, column);
    if (judged) return judged;
    const value = await evaluateDefault(context, row, column);
    if ("fault" in value && value.fault === "fails")
      return failure(
        `the default of ${column.name} raises ${value.code ?? "an error"} (${value.reason}).`,
      );
  }
  return null;
}

/** All that is the same for each row. */
function outline(context: Context): Omit<Asked, "rows"> {
  const { caller, asRole, rights, relation, access, question, names } = context;
  const { columns } = access;
  const all = question.verb === "delete" ? [] : relation.columns.map(({ name }) => name);
  const counted = new Set(listChecks(context, true).flatMap(listPolicies));
  return {
    caller,
    verb: question.verb,
    upsert: question.upsert ?? false,
    returning: question.returning ?? false,
    table: relation.fullName,
    key: relation.key,
    owner: relation.owner,
    columns,
    columnsRefused: all.filter((column) => !columns?.includes(column)),
    otherPolicies: relation.policies
      .filter((policy) => !counted.has(policy))
      .map((policy) => ({ policy, reason: reasonToIgnore(policy, caller.role) })),
    preRequest: names.preRequest ?? null,
    evaluatedAsRole: asRole,
    obstacle: rights?.obstacle ?? null,
  };
}

function listPolicies({ permissive, restrictive }: PolicyCheck): Policy[] {
  return [...permissive, ...restrictive].map(({ policy }) => policy);
}

function reasonToIgnore({ appliesTo, roles, verb, using, check }: Policy, role: ApiRole): string {
  if (!appliesTo.includes(role)) return `for the role ${roles.join(", ")}`;
  return using === null && check === null ? "it has no condition" : `for ${verb}`;
}
