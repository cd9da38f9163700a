import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";
import { exactJson } from "../../stack/exact-json.ts";
import { anonymousCaller, type Caller, type User, userCaller } from "../model/caller.ts";
import type { RowText } from "../model/evaluate.ts";
import { type AccessModel, type ApiRole, type Relation, type Verb, verbs } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";
import { type Access, getAccess, type PolicyCheck, toSql } from "../model/policy-check.ts";
import { canBecome } from "../model/session.ts";
import { newUser, newUserId } from "../rehearse/sampled-users.ts";
import { evaluateAs, explainAs, type Failure } from "./attempt.ts";
import type { FailingRequest } from "./report.ts";
import { writeStatement } from "./statement.ts";

/**
 * Finds requests that fail by policies, functions and views: for every table, role and verb that is
 * granted, PostgreSQL explains one statement, and evaluates the policies over a few rows of the table.
 * Nothing is written, and no trigger fires.
 *
 * @param client In a transaction, whose search path it empties.
 */
export async function findFailingRequests(
  client: pg.ClientBase,
  { names, relations }: AccessModel,
): Promise<FailingRequest[]> {
  const users = await listUsers(client, names);
  const failing: FailingRequest[] = [];
  for (const role of names.roles) {
    if (!(await canBecome(client, role))) continue;
    const callers =
      role === names.anonymous || names.users === undefined
        ? [anonymousCaller(role)]
        : chooseCallers(users, role);
    for (const relation of relations)
      failing.push(...(await tryRelation(client, relation, role, callers)));
  }
  return failing;
}

/** How many users, and how many rows of a table, are tried. */
const most = 2;

async function listUsers(client: pg.ClientBase, { users }: ApiNames): Promise<User[]> {
  if (users === undefined) return [];
  const sql = `select id, email, claims from (${users}) as users order by id collate "C" limit ${most}`;
  return readIfPossible<User>(client, sql);
}

/** A new user too; but the ids of users need not be UUIDs, as that one's is. */
function chooseCallers(users: readonly User[], role: ApiRole): readonly Caller[] {
  const callers = users.map((user) => userCaller(user, role));
  const isUuid = users.every(({ id }) => id.length === newUserId.length);
  return isUuid ? [...callers, newUser(role)] : callers;
}

/** A token that names no user: what fails with this one as well is not due to a claim's value. */
function withoutSub(caller: Caller): Caller {
  return { ...caller, claims: { role: caller.role } };
}

async function readRows(client: pg.ClientBase, relation: Relation): Promise<RowText[]> {
  const alias = quoteName(relation.name);
  const sql = `select (${alias}.*)::text as row from ${sqlName(relation)} as ${alias} limit ${most}`;
  return (await readIfPossible<{ row: string }>(client, sql)).map(({ row }) => row);
}

/** No rows where the role of the connection may not read them, or is under policies that fail. */
async function readIfPossible<T extends pg.QueryResultRow>(
  client: pg.ClientBase,
  sql: string,
): Promise<T[]> {
  await client.query("savepoint reading; set local lock_timeout = '1s'");
  try {
    return (await client.query<T>({ text: sql, types: exactJson })).rows;
  } catch {
    return [];
  } finally {
    await client.query("rollback to savepoint reading");
  }
}

/** A table, and who asks for what of it. */
interface Trial {
  readonly client: pg.ClientBase;
  readonly relation: Relation;
  readonly callers: readonly Caller[];
  /** Some that are there. */
  readonly rows: readonly RowText[];
  /** The expressions that no caller fails with: several verbs have the same. */
  readonly passed: Set<string>;
}

async function tryRelation(
  client: pg.ClientBase,
  relation: Relation,
  role: ApiRole,
  callers: readonly Caller[],
): Promise<FailingRequest[]> {
  // To plan for a foreign table can ask another server.
  if (relation.kind === "foreign table") return [];
  const tried: readonly Verb[] = relation.kind === "table" ? verbs : ["select"];
  const all = tried.map((verb) => getAccess(relation, role, verb));
  const granted = all.filter(({ columns }) => columns !== null);
  if (granted.length === 0) return [];
  const rows = relation.kind === "table" ? await readRows(client, relation) : [];
  const trial: Trial = { client, relation, callers, rows, passed: new Set() };
  const failing: FailingRequest[] = [];
  for (const access of granted) {
    failing.push(...((await explain(trial, access)) ?? (await evaluate(trial, access))));
  }
  return failing;
}

/** @returns Undefined when the statement could start. */
async function explain(trial: Trial, access: Access): Promise<FailingRequest[] | undefined> {
  const { client, relation, callers } = trial;
  const statement = writeStatement(relation, access.verb, access.columns ?? []);
  const [first, ...others] = callers;
  if (statement === undefined || first === undefined) return undefined;
  const failure = await explainAs(client, first, relation, statement);
  if (failure === undefined) return undefined;
  let passed = 0;
  for (const caller of [...others, withoutSub(first)])
    if ((await explainAs(client, caller, relation, statement)) === undefined) passed += 1;
  const policies = await findCulprits(trial, access, first, failure);
  const isCertain = passed === 0 && !failure.isRaised;
  const tried = isCertain ? undefined : "with the claims role, sub and email";
  return [describe(trial, access, failure, { policies, isCertain, tried })];
}

/** Evaluates what the policies demand over rows: some errors need one. */
async function evaluate(trial: Trial, access: Access): Promise<FailingRequest[]> {
  if (trial.relation.kind !== "table") return [];
  const failing: FailingRequest[] = [];
  for (const check of [...access.row, ...access.result]) {
    const sql = toSql([check]);
    if (await passesAtOnce(trial, sql)) continue;
    const [first, ...others] = await tryOneByOne(trial, sql);
    if (first === undefined) continue;
    const { rows, callers } = trial;
    const failed = 1 + others.length;
    const total = Math.max(rows.length, 1) * callers.length;
    const isCertain =
      rows.length > 0 && failed === total && (await failsWithoutValues(trial, sql, first.failure));
    const what = rows.length === 0 ? "a row of nulls" : count(rows.length, "row");
    const who = count(callers.length, "caller");
    const tried = `in ${failed} of ${count(total, "try")} (${what}, ${who} with the claims role, sub and email)`;
    const policies = await findCulprits(trial, access, first.caller, first.failure);
    failing.push(describe(trial, access, first.failure, { policies, isCertain, tried }));
  }
  return failing;
}

function count(number: number, noun: "row" | "caller" | "try"): string {
  if (number === 1) return `1 ${noun}`;
  return `${number} ${noun === "try" ? "tries" : `${noun}s`}`;
}

/** Every caller with every row: which of them fail? */
async function tryOneByOne(trial: Trial, sql: string) {
  const failures: { readonly caller: Caller; readonly failure: Failure }[] = [];
  for (const caller of trial.callers) {
    for (const row of getTriedRows(trial)) {
      const failure = await evaluateOver(trial, caller, sql, [row]);
      if (failure) failures.push({ caller, failure });
    }
  }
  return failures;
}

/** Where a table is empty, a row of nulls still shows what no row can cure. */
function getTriedRows({ rows, relation }: Trial): readonly RowText[] {
  return rows.length > 0 ? rows : [nullRow(relation)];
}

/** The usual case: one query for each caller. */
async function passesAtOnce(trial: Trial, sql: string): Promise<boolean> {
  if (sql === "true" || sql === "false" || trial.passed.has(sql)) return true;
  for (const caller of trial.callers) {
    if (await evaluateOver(trial, caller, sql, getTriedRows(trial))) return false;
  }
  trial.passed.add(sql);
  return true;
}

/** SQLSTATEs that no other value in a row or claim would cure, where nulls meet them too. */
const certain = /^(?:42...|22012|54001)$/;

/** Whether an expression fails over a row of nulls as well: then no value in the row is the cause. */
async function failsWithoutValues(
  trial: Trial,
  sql: string,
  { code, isRaised }: Failure,
): Promise<boolean> {
  if (isRaised || !certain.test(code)) return false;
  for (const caller of trial.callers) {
    const failure = await evaluateOver(trial, caller, sql, [nullRow(trial.relation)]);
    if (failure?.code !== code) return false;
  }
  return true;
}

/** The policies whose own expression fails in the same way. */
async function findCulprits(
  trial: Trial,
  access: Access,
  caller: Caller,
  { code }: Failure,
): Promise<string[]> {
  const conditions = [...access.row, ...access.result].flatMap(listConditions);
  const rows = [...trial.rows, nullRow(trial.relation)];
  const names = new Set<string>();
  for (const { policy, sql } of conditions) {
    const failure = await evaluateOver(trial, caller, sql, rows);
    if (failure?.code === code) names.add(policy.name);
  }
  return [...names];
}

function listConditions({ permissive, restrictive }: PolicyCheck) {
  return [...permissive, ...restrictive];
}

async function evaluateOver(
  { client, relation }: Trial,
  caller: Caller,
  sql: string,
  rows: readonly RowText[],
): Promise<Failure | undefined> {
  return evaluateAs(client, caller, { table: relation, sql, rows });
}

function nullRow({ columns }: Relation): RowText {
  return `(${",".repeat(Math.max(columns.length - 1, 0))})`;
}

function describe(
  { relation }: Trial,
  { role, verb }: Access,
  { code, message }: Failure,
  how: Pick<FailingRequest, "policies" | "isCertain" | "tried">,
): FailingRequest {
  return { table: relation.fullName, role, verb, code, message, ...how };
}
