import type pg from "pg";
import { errorCode, errorMessage } from "../../lib/errors.ts";
import { actAs, type Caller } from "../model/caller.ts";
import { prepareOver, type RowText, runOver, useSearchPath } from "../model/evaluate.ts";
import type { Relation } from "../model/model.ts";

/** PostgreSQL's error about something that a request would do. */
export interface Failure {
  /** The SQLSTATE. */
  readonly code: string;
  readonly message: string;
  /** Whether a function raised it by itself, as it may for a claim that is missing. */
  readonly isRaised: boolean;
}

/** What PostgREST sets beside the claims; and a database in use must not be held up. */
const asRequest = `
  set local lock_timeout = '1s';
  set local statement_timeout = '2s';
  select
    set_config('request.method', 'GET', true),
    set_config('request.path', '/', true),
    set_config('request.headers', '{}', true),
    set_config('request.cookies', '{}', true)
`;

/**
 * Lets PostgreSQL rewrite, check and plan a statement for a caller, as far as its start: nothing of
 * it runs, so no row is touched and no trigger fires.
 */
export async function explainAs(
  client: pg.ClientBase,
  caller: Caller,
  relation: Relation,
  statement: string,
): Promise<Failure | undefined> {
  return attempt(client, async () => {
    await useSearchPath(client, relation, caller.role);
    await client.query(asRequest);
    await actAs(client, caller, true);
    // Not EXPLAIN at its beginning: request.plannable() would refuse it, and hide what fails.
    await client.query(`select; explain ${statement}`);
  });
}

/** Evaluates an expression over rows of a table, with the rights of a caller. */
export async function evaluateAs(
  client: pg.ClientBase,
  caller: Caller,
  { table, sql, rows }: { table: Relation; sql: string; rows: readonly RowText[] },
): Promise<Failure | undefined> {
  let prepared: string | undefined;
  const failure = await attempt(client, async () => {
    await useSearchPath(client, table, caller.role);
    await client.query(asRequest);
    prepared = await prepareOver(client, table, `(${sql})::text as value`);
    await actAs(client, caller, true);
    await runOver(client, prepared, rows);
  });
  if (prepared === undefined) return undefined; // It needs more than a row: a system column.
  await client.query(`deallocate ${prepared}`);
  return failure;
}

async function attempt(
  client: pg.ClientBase,
  work: () => Promise<void>,
): Promise<Failure | undefined> {
  await client.query("savepoint attempt");
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await client.query("rollback to savepoint attempt");
  if (error === undefined || (await canBeMade(client, error))) return undefined;
  return toFailure(error);
}

/**
 * Whether an error is about a setting that a request may have: PostgREST's own, those of postgrest.conf,
 * and any that some function names, such as the pre-request function.
 */
async function canBeMade(client: pg.ClientBase, error: unknown): Promise<boolean> {
  const name = /^unrecognized configuration parameter "(.+)"/.exec(errorMessage(error))?.[1];
  if (name === undefined) return false;
  if (/^(?:request|response|app\.settings|pgrst)\./i.test(name)) return true;
  const { rows } = await client.query<{ found: boolean }>(
    `select exists (
       select
       from pg_catalog.pg_proc
       where pronamespace <> 'pg_catalog'::regnamespace
       and strpos(lower(coalesce(pg_get_function_sqlbody(oid), prosrc)), lower($1)) > 0
     ) as found`,
    [name],
  );
  return rows[0]?.found === true;
}

/**
 * What says nothing about a policy: rules for rows (23), a connection elsewhere (08, HV), a server that is
 * busy (53, 55, 57, 58), a transaction that only reads (25006), and a status that the policy raises
 * on purpose (PT).
 */
const unrelated = /^(?:23|08|HV|53|55|57|58|PT|25006)/;

/** A policy reaches into any schema. */
const unknowable = /^permission denied for schema/;

/** The routine of PostgreSQL behind PL/pgSQL's RAISE. */
const raise = "exec_stmt_raise";

function toFailure(error: unknown): Failure | undefined {
  const code = errorCode(error);
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) throw error;
  const message = errorMessage(error);
  // What fails inside a function fails in a request, too.
  const isInside = error instanceof Error && "where" in error && Boolean(error.where);
  const isUnknown = unknowable.test(message) && !(isInside && code === "42501");
  if (unrelated.test(code) || isUnknown) return undefined;
  const isRaised = error instanceof Error && "routine" in error && error.routine === raise;
  return { code, message, isRaised };
}
