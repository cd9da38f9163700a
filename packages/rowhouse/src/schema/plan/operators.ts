import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withClient } from "../../stack/database.ts";
import { quoteLiteral } from "../catalog/define.ts";
import { listDropped } from "./dropped.ts";
import { findMadeType, readStatement } from "./statement.ts";

/** An operator or a cast. */
export interface Operator {
  /** "operator api.===(integer,integer)", "cast (text as api.mark)": the words that DROP wants. */
  readonly object: string;
  /** The function behind it, with its arguments: "api.same(integer,integer)". */
  readonly function: string | null;
  /** What makes it. */
  readonly statement: string;
  readonly comment: string | null;
}

const query = readFileSync(join(import.meta.dirname, "operators.sql"), "utf8");

/** Reads the operators and casts that people made in a database. */
export async function readOperators(url: string): Promise<Operator[]> {
  return withClient(url, async (client) => {
    await client.query("set search_path = ''");
    return (await client.query<Operator>(query)).rows;
  });
}

/**
 * Puts what drops, makes and describes operators and casts among the statements of a plan: each is dropped
 * before its function or type goes, and made after its function is. One that changes is made again.
 */
export function addOperators(
  statements: readonly string[],
  from: readonly Operator[],
  to: readonly Operator[],
): string[] {
  const dropped = listDropped(statements);
  const isKept = (one: Operator, others: readonly Operator[]) =>
    !dropped.includes(`function ${one.function}`) &&
    others.some(({ object, statement }) => object === one.object && statement === one.statement);
  const gone = from.filter((one) => !isKept(one, to));
  const made = to.filter((one) => !isKept(one, from));
  const result = [...statements];
  // From the end to the start, so that the places stay what they are.
  const places = made.map((one) => ({ one, place: findPlace(one, statements) }));
  for (const { one, place } of places.toSorted((a, b) => b.place - a.place))
    result.splice(place, 0, one.statement);
  const drops = gone.map(({ object }) => `drop ${object}`);
  const firstDrop = result.findIndex(dropsWhatIsNeeded);
  const making = new Set(made.map(({ statement }) => statement));
  const firstMade = result.findIndex((sql) => making.has(sql));
  const ends = [firstDrop, firstMade].filter((place) => place >= 0);
  result.splice(Math.min(...ends, result.length), 0, ...drops);
  return [...result, ...comments(from, to, made)];
}

/** Behind its function, and behind all types: where a function is there already, they are what is missing. */
function findPlace({ function: name }: Operator, statements: readonly string[]): number {
  const made = name === null ? undefined : `function ${name.replace(/\(.*$/s, "")}`;
  const planned = statements.map(readStatement);
  const last = planned.findLastIndex(
    ({ tree, subject }) =>
      findMadeType(tree) !== undefined ||
      (subject === made && tree !== undefined && "CreateFunctionStmt" in tree),
  );
  return last + 1;
}

/** Whether a statement drops a function or a type, or the schema of one. */
function dropsWhatIsNeeded(sql: string): boolean {
  return /^drop (function|type|domain|schema)\b/.test(sql);
}

function comments(
  from: readonly Operator[],
  to: readonly Operator[],
  made: readonly Operator[],
): string[] {
  const changed = to.filter((one) => {
    const old = made.includes(one) ? undefined : from.find(({ object }) => object === one.object);
    return (old?.comment ?? null) !== one.comment;
  });
  return changed.map(
    ({ object, comment }) =>
      `comment on ${object} is\n  ${comment === null ? "null" : quoteLiteral(comment)}`,
  );
}
