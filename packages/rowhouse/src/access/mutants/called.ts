import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { type ConditionVariant, listAnswerVariants, listSubqueryVariants } from "./conditions.ts";
import type { Mutant } from "./mutant.ts";

/** A function that policies call: see called.sql. */
export interface CalledFunction {
  readonly name: string;
  readonly language: string;
  /** Whether it says yes or no. */
  readonly isTest: boolean;
  /** The statement that creates it. */
  readonly definition: string;
  /** The body, where it is a string. */
  readonly source: string;
  /** The body as PostgreSQL writes it, where it has read it; else null. */
  readonly body: string | null;
  readonly searchPath: string;
}

/** The query for `readCalledMutants`; it has the columns oid and namespace too. */
export const calledFunctions = readFileSync(join(import.meta.dirname, "called.sql"), "utf8");

/**
 * Every weakening of the functions that policies call.
 *
 * @param find Finds the functions.
 */
export async function readCalledMutants(
  client: pg.ClientBase,
  find: () => Promise<CalledFunction[]>,
): Promise<Mutant[]> {
  await client.query("begin");
  try {
    return (await readCalled(client, find)).flatMap(calledMutants);
  } finally {
    await client.query("rollback");
  }
}

/**
 * Finds the functions. Bodies that are strings of SQL are given to PostgreSQL to read: then it writes
 * them in its own way, and records what they call in turn.
 */
async function readCalled(
  client: pg.ClientBase,
  find: () => Promise<CalledFunction[]>,
): Promise<CalledFunction[]> {
  const tried = new Set<string>();
  for (;;) {
    const rows = await find();
    const unread = rows.filter(
      ({ name, language, body }) => language === "sql" && body === null && !tried.has(name),
    );
    if (unread.length === 0) return rows;
    for (const called of unread) {
      tried.add(called.name);
      await readBody(client, called);
    }
  }
}

/** Has PostgreSQL read a body, where it can: not if it is polymorphic, or names what is not there. */
async function readBody(client: pg.ClientBase, called: CalledFunction): Promise<void> {
  const body = `BEGIN ATOMIC\n${called.source}\n;\nEND`;
  await client.query("savepoint reading");
  try {
    await client.query(`set local search_path = ${called.searchPath || "public"}`);
    await client.query(`${getHead(called)}${body}`);
    await client.query("set local search_path = ''");
  } catch {
    await client.query("rollback to savepoint reading");
  }
}

function calledMutants(called: CalledFunction): Mutant[] {
  const { body } = called;
  const create = (kind: string, text: string): Mutant => ({
    kind,
    object: called.name,
    sql: `${getHead(called)}${text};`,
    undo: null,
  });
  const variants = body === null ? [] : listBodyVariants(body, called.isTest);
  return [
    ...alwaysTrue(called).map((text) => create("function returns true", text)),
    ...variants.map(({ kind, sql }) => create(`${kind} in a function`, sql)),
  ];
}

function listBodyVariants(body: string, isTest: boolean): ConditionVariant[] {
  return [...(isTest ? listAnswerVariants(body) : []), ...listSubqueryVariants(body)];
}

function alwaysTrue({ language, isTest, body }: CalledFunction): string[] {
  if (!isTest || /^RETURN \(?true\)?$/.test(body ?? "")) return [];
  if (language === "sql") return ["RETURN true"];
  if (language === "plpgsql") return ["AS $mutant$ begin return true; end $mutant$"];
  return [];
}

/** The statement that creates a function, up to its body. */
function getHead({ definition, source, body }: CalledFunction): string {
  const head = definition.slice(0, definition.lastIndexOf(body ?? source));
  return body === null ? head.replace(/AS \$\w*\$$/, "") : head;
}
