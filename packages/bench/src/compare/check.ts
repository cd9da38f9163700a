import { isDeepStrictEqual } from "node:util";
import { type Action, type Caller, newId, type Operation } from "./actions.ts";
import type { Contestant } from "./contestant.ts";
import type { Answer, Row } from "./dialects.ts";

/** An answer that is not Rowhouse's: which, and what both said. */
export class AnswersDiffer extends Error {
  constructor(operation: string, name: string, given: unknown, wanted: unknown) {
    super(
      `${name} answers ${operation} otherwise:\n${JSON.stringify(given)}\ninstead of\n${JSON.stringify(wanted)}`,
    );
  }
}

/**
 * Makes sure that one answers an operation as another does: the same columns, and the same values but for
 * the times of what is written.
 *
 * @throws AnswersDiffer
 */
export async function compareAnswers(
  operation: Operation,
  one: Contestant,
  wanted: Contestant,
): Promise<void> {
  if (!one.can(operation) || one.answer === undefined) return;
  const given = await ask(operation, one);
  const expected = await ask(operation, wanted);
  if (!isDeepStrictEqual(given, expected)) {
    throw new AnswersDiffer(operation.name, one.name, given, expected);
  }
}

async function ask({ name, caller, next }: Operation, one: Contestant): Promise<unknown> {
  const user = one.database.callers[caller];
  switch (name) {
    case "create":
      return askCreate(one, user);
    case "delete":
      return askDelete(one, user);
    case "mix":
      return [await answer(one, next(user, 0), user), await answer(one, next(user, 9), user)].map(
        (rows) => (Array.isArray(rows) ? rows.map(withoutTimes) : rows),
      );
    case "update":
      return rowsOf(await answer(one, next(user, 0), user)).map(withoutTimes);
    default:
      return normalize(await answer(one, next(user, 0), user));
  }
}

async function askCreate(one: Contestant, user: Caller): Promise<unknown> {
  const id = newId();
  const created = await answer(one, { kind: "create", id, title: "New" }, user);
  const read = await answer(one, { kind: "get", id }, user);
  if (!isDeepStrictEqual(normalize(created), normalize(read))) {
    throw new AnswersDiffer("create", one.name, created, read);
  }
  return rowsOf(created).map((row) => ({ ...withoutTimes(row), id: row.id === id }));
}

async function askDelete(one: Contestant, user: Caller): Promise<unknown> {
  const [id = ""] = await one.database.addTasks(1);
  await answer(one, { kind: "delete", id }, user);
  const left = await one.database.sql("select id from api.tasks where id = $1", [id]);
  return left.length;
}

function answer(one: Contestant, action: Action | undefined, user: Caller): Promise<Answer> {
  if (action === undefined || one.answer === undefined) throw new Error("Nothing can be asked.");
  return one.answer(action, user);
}

const rowsOf = (value: Answer): readonly Row[] => (Array.isArray(value) ? value : []);

/** Values as they are compared: times to the millisecond, whatever their zone; columns by name. */
function normalize(value: Answer): unknown {
  return Array.isArray(value) ? value.map(normalizeRow) : value;
}

function normalizeRow(row: Row): Row {
  const entries = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (name.endsWith("_at")) return [name, new Date(String(value)).getTime()];
      const isRow = typeof value === "object" && value !== null;
      return [name, isRow ? normalizeRow(value as Row) : value];
    }),
  );
}

/** The columns of the times are there, whatever they say. */
function withoutTimes(row: Row): Row {
  return { ...normalizeRow(row), created_at: "created_at" in row, updated_at: "updated_at" in row };
}
