import { errorCode, errorMessage } from "../../lib/errors.ts";
import { actAs } from "../model/caller.ts";
import { useSearchPath } from "../model/evaluate.ts";
import type { Relation, Verb } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";
import { type Decision, failure } from "./decide.ts";
import type { Question } from "./question.ts";
import type { Scene } from "./rows.ts";

/**
 * Why PostgreSQL refuses the request before it looks at any row, since policies read their own table
 * (42P17): a condition alone does not show it, and no other policy spares the request. Null when they do not.
 * PostgreSQL explains the request to the caller; nothing of it runs.
 *
 * @param filters Whether it names the rows that it changes, so that the policies of select count.
 */
export async function findRecursion(
  { client, relation, caller, asRole }: Scene,
  question: Question,
  filters: boolean,
): Promise<Decision | null> {
  const statement = writeRequest(relation, question, filters);
  if (!asRole || statement === null || !hasSubquery(relation)) return null;
  await client.query("savepoint recursion; set local lock_timeout = '1s'");
  try {
    await useSearchPath(client, relation, caller.role);
    await actAs(client, caller, true);
    await client.query(`explain ${statement}`);
    return null;
  } catch (error) {
    return describeRecursion(error);
  } finally {
    await client.query("rollback to savepoint recursion");
  }
}

/** Without one, no policy reads a table before it runs. */
function hasSubquery({ policies }: Relation): boolean {
  return policies.some(({ using, check }) => /\bselect\b/i.test(`${using} ${check}`));
}

/** Other errors say nothing here: the conditions and grants are looked at one by one. */
function describeRecursion(error: unknown): Decision | null {
  const code = errorCode(error);
  if (code === "57014") throw error;
  if (code !== "42P17") return null;
  return failure(`PostgreSQL raises 42P17 (${errorMessage(error)}).`);
}

/** The plainest statement that the same policies hold; null when there is none: no column to set. */
function writeRequest(relation: Relation, question: Question, filters: boolean): string | null {
  const { verb, upsert, returning } = question;
  const [column] = relation.columns.map(({ name }) => quoteName(name));
  const key = upsert ? relation.key.map(quoteName).join(", ") : "";
  const statement = writeStatement(sqlName(relation), verb, column);
  if (statement === null) return null;
  return [
    statement,
    ...(filters && column ? [`where ${column} is null`] : []),
    ...(key && column ? [`on conflict (${key}) do update set ${column} = default`] : []),
    ...(returning ? ["returning *"] : []),
  ].join(" ");
}

function writeStatement(table: string, verb: Verb, column: string | undefined): string | null {
  switch (verb) {
    case "select":
      return `select from ${table}`;
    case "insert":
      return `insert into ${table} default values`;
    case "update":
      return column === undefined ? null : `update ${table} set ${column} = default`;
    case "delete":
      return `delete from ${table}`;
  }
}
