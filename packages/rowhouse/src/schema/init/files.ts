import { splitStatements, type Tree } from "../catalog/sql.ts";
import { findCommentedPolicy, readStatement } from "../plan/statement.ts";
import { guardRole } from "./guard.ts";
import { findPlace, isRowSecurity, type Relations } from "./place.ts";
import { tidy } from "./write-as-people.ts";

/**
 * Puts statements into the files of sql/ and policies/ that they belong into.
 *
 * @returns The texts by their paths from the project's folder.
 */
export function distribute(
  statements: readonly string[],
  relations: Relations,
): ReadonlyMap<string, string> {
  const files = new Map<string, string[]>();
  // Some file systems know no case: names that differ by it alone share a file.
  const places = new Map<string, string>();
  for (const sql of statements) {
    const found = findPlace(readStatement(sql), relations);
    const place = places.get(found.toLowerCase()) ?? found;
    places.set(found.toLowerCase(), place);
    files.set(place, [...(files.get(place) ?? []), guardRole(tidy(sql))]);
  }
  const texts = new Map([...files].map(([path, some]) => [path, join(path, some)]));
  // Both folders have to be there, and version control keeps no empty one.
  for (const folder of ["sql", "policies"]) {
    if (![...texts.keys()].some((path) => path.startsWith(`${folder}/`)))
      texts.set(`${folder}/.gitkeep`, "");
  }
  return texts;
}

function join(path: string, statements: readonly string[]): string {
  const ordered = path.startsWith("policies/") ? orderAccess(statements) : statements;
  return ordered.map((sql, index) => `${separator(sql, ordered[index - 1])}${sql};\n`).join("");
}

/** Comments on the parts of a table stand together, without blank lines. */
function separator(sql: string, before: string | undefined): string {
  if (before === undefined) return "";
  const isPair = [/^comment on (table|column) /, /^alter table \S+ (enable|force) row/].some(
    (kind) => kind.test(sql) && kind.test(before),
  );
  return isPair ? "" : "\n";
}

/** Row-level security, comments, grants, then each policy with its comment. */
function orderAccess(statements: readonly string[]): string[] {
  const some = statements.map((sql) => ({ ...readStatement(sql), sql }));
  const about = (name: string) =>
    some.filter(({ tree }) => findCommentedPolicy(tree) === name).map(({ sql }) => sql);
  const ranked = (rank: number) => some.filter(({ tree }) => getRank(tree) === rank);
  return [
    ...[0, 1, 1.5, 2].flatMap((rank) => ranked(rank).map(({ sql }) => sql)),
    ...ranked(3).flatMap(({ sql, subject }) => [sql, ...about(subject)]),
    ...ranked(5).map(({ sql }) => sql),
    // Of policies that are not made here.
    ...ranked(4)
      .filter(({ tree }) => !ranked(3).some(({ subject }) => subject === findCommentedPolicy(tree)))
      .map(({ sql }) => sql),
  ];
}

function getRank(tree: Tree | undefined): number {
  if (tree === undefined) return 5;
  if (isRowSecurity(tree)) return 0;
  if (findCommentedPolicy(tree) !== undefined) return 4;
  if ("CommentStmt" in tree) return tree.CommentStmt.objtype === "OBJECT_TABLE" ? 1 : 1.5;
  if ("GrantStmt" in tree) return 2;
  return "CreatePolicyStmt" in tree ? 3 : 5;
}

/** The statements that no file can hold, each with the reason. */
export function findUndeclarable(
  statements: readonly string[],
  findReason: (tree: Tree | undefined) => string | undefined,
): Map<string, string> {
  return new Map(
    statements.flatMap((sql) => {
      const reason = splitStatements(sql).flatMap(({ tree }) => findReason(tree) ?? [])[0];
      return reason === undefined ? [] : [[sql, reason] as const];
    }),
  );
}
