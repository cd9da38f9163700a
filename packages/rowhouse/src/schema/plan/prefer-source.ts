import { type CatalogEntry, type KnownEntry, listKind } from "../catalog/catalog.ts";
import { parseStatement, type Tree } from "../catalog/sql.ts";
import { isCreation } from "../catalog/subject.ts";
import { listDropped, listRetyped } from "./dropped.ts";
import { toAlterPolicy, toReplacement } from "./rewrite.ts";
import type { Sources } from "./sources.ts";
import {
  findCommentedPolicy,
  findMadeType,
  type PlannedStatement,
  readStatement,
} from "./statement.ts";

/** The catalogs of the two databases that a plan leads between. */
export interface Catalogs {
  readonly before: readonly CatalogEntry[];
  readonly after: readonly CatalogEntry[];
}

/**
 * Replaces the statements that PostgreSQL would write by those in the sources, writes "alter policy"
 * where a policy is dropped and created again, and leaves out what then changes nothing.
 *
 * @param statements In the project's style, in order.
 */
export function preferSources(
  statements: readonly string[],
  sources: Sources,
  catalogs: Catalogs,
): string[] {
  const planned = statements.map(readStatement);
  const dropped = findSubjects(planned.filter(isDrop));
  const made = findSubjects(planned.filter(isCreate));
  const altered = alteredPolicies(planned, catalogs);
  const commented = unchangedComments(catalogs);

  const isNeedless = (one: PlannedStatement): boolean => {
    const { tree, subject } = one;
    const comment = findCommentedPolicy(tree) ?? "";
    const source = made.has(subject) ? sources.get(subject) : undefined;
    return (
      (altered.has(subject) && isDrop(one)) ||
      (altered.has(comment) && commented.has(comment)) ||
      isSaidAlready(tree, dropped.has(subject), source)
    );
  };

  const written = (one: PlannedStatement): string => {
    const { sql, subject } = one;
    const source = isCreate(one) ? sources.get(subject) : undefined;
    if (source === undefined) return sql;
    if (altered.has(subject)) return toAlterPolicy(source);
    return isThere(subject, catalogs.before) && !dropped.has(subject)
      ? toReplacement(source)
      : source;
  };

  const [types, others] = partition(
    planned.filter((one) => !isNeedless(one)),
    (one) => isNewType(one, catalogs.before),
  );
  // A table as a person wrote it has all its columns at once, so their types have to be there.
  return [...types, ...others].map(written);
}

/**
 * Whether a statement makes a type, or the schema that it is in. One that is there is renamed or
 * dropped first, so its place stays.
 */
function isNewType({ tree }: PlannedStatement, before: readonly CatalogEntry[]): boolean {
  const made = findMadeType(tree);
  return made !== undefined && !before.some(({ kind, name }) => `${kind} ${name}` === made);
}

function isDrop({ tree }: PlannedStatement): boolean {
  return tree !== undefined && "DropStmt" in tree;
}

function isCreate({ tree }: PlannedStatement): boolean {
  return isCreation(tree);
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function findSubjects(statements: readonly PlannedStatement[]): Set<string> {
  return new Set(statements.map(({ subject }) => subject).filter((subject) => subject !== ""));
}

/**
 * The policies that are dropped and made again, where `alter policy` comes to the same, and whose
 * old condition needs nothing that goes or gets another type.
 */
function alteredPolicies(planned: readonly PlannedStatement[], { before, after }: Catalogs) {
  const statements = planned.map(({ sql }) => sql);
  const going = new Set([...listDropped(statements), ...listRetyped(statements)]);
  const now = new Map(listKind(after, "policy").map((policy) => [policy.name, policy]));
  const free = listKind(before, "policy").filter(
    (old) =>
      !old.facts.needs.some((name) => going.has(name)) && isAlterable(old, now.get(old.name)),
  );
  const made = findSubjects(planned.filter(isCreate));
  const dropped = findSubjects(planned.filter(isDrop));
  const names = free.map(({ name }) => `policy ${name}`);
  return new Set(names.filter((subject) => made.has(subject) && dropped.has(subject)));
}

type Policy = KnownEntry<"policy">;

/** `alter policy` changes neither mode nor verb, and takes no condition away. */
function isAlterable({ facts: old }: Policy, now: Policy | undefined): boolean {
  if (now === undefined) return false;
  const { permissive, command, using, check } = now.facts;
  return (
    old.permissive === permissive &&
    old.command === command &&
    (using !== null || old.using === null) &&
    (check !== null || old.check === null)
  );
}

/** What keeps its comment, as "policy select_own on api.tasks". */
function unchangedComments({ before, after }: Catalogs): Set<string> {
  const comments = (entries: readonly CatalogEntry[]) =>
    entries.filter(({ kind }) => kind === "comment");
  const known = new Set(comments(before).map(({ name, definition }) => `${name} ${definition}`));
  const unchanged = comments(after).filter(({ name, definition }) =>
    known.has(`${name} ${definition}`),
  );
  return new Set(unchanged.map(({ name }) => name));
}

/** What goes with its table, or stands in the statement that makes the table. */
function isSaidAlready(tree: Tree | undefined, goes: boolean, source: string | undefined): boolean {
  const [cmd, ...others] = tree && "AlterTableStmt" in tree ? (tree.AlterTableStmt.cmds ?? []) : [];
  if (cmd === undefined || others.length > 0 || !("AlterTableCmd" in cmd)) return false;
  const { subtype, def } = cmd.AlterTableCmd;
  if (subtype === "AT_DropColumn" || subtype === "AT_DropConstraint") return goes;
  if (subtype !== "AT_AddColumn" && subtype !== "AT_AddConstraint") return false;
  const [name] = listPartNames(def);
  return source !== undefined && name !== undefined && listParts(source).includes(name);
}

/** The columns and named constraints that a `create table` makes. */
function listParts(source: string): string[] {
  const tree = parseStatement(source);
  return tree && "CreateStmt" in tree
    ? (tree.CreateStmt.tableElts ?? []).flatMap(listPartNames)
    : [];
}

/** The name of a column, then those of its constraints; or the name of a constraint. */
function listPartNames(part: Tree | undefined): string[] {
  if (part === undefined) return [];
  if ("Constraint" in part) return [part.Constraint.conname ?? []].flat();
  if (!("ColumnDef" in part)) return [];
  const { colname, constraints = [] } = part.ColumnDef;
  return [colname ?? [], ...constraints.map(listPartNames)].flat();
}

function isThere(subject: string, before: readonly CatalogEntry[]): boolean {
  return before.some(({ kind, name }) => `${kind} ${name}`.startsWith(`${subject}(`));
}
