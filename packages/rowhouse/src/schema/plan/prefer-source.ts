import type { CatalogEntry } from "../catalog/catalog.ts";
import { findSubject, normalize } from "../catalog/sql.ts";
import type { Sources } from "./sources.ts";

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
  const dropped = findSubjects(statements, "drop ");
  const made = findSubjects(statements, "create ");
  const altered = alteredPolicies(statements, catalogs);
  const commented = unchangedComments(catalogs);

  const isNeedless = (sql: string): boolean => {
    const subject = findSubject(sql) ?? "";
    const [, comment = ""] = /^comment on (policy .*) is$/m.exec(sql) ?? [];
    const source = made.has(subject) ? sources.get(subject) : undefined;
    return (
      (altered.has(subject) && sql.startsWith("drop ")) ||
      (altered.has(comment) && commented.has(comment)) ||
      isSaidAlready(sql, dropped.has(subject), source)
    );
  };

  const written = (sql: string): string => {
    const subject = findSubject(sql) ?? "";
    const source = sql.startsWith("create ") ? sources.get(subject) : undefined;
    if (source === undefined) return sql;
    if (altered.has(subject)) return alter(source);
    return isThere(subject, catalogs.before) && !dropped.has(subject) ? replace(source) : source;
  };

  const [types, others] = partition(
    statements.filter((sql) => !isNeedless(sql)),
    (sql) => /^create (type|domain) /.test(sql),
  );
  // A table as a person wrote it has all its columns at once, so their types have to be there.
  return [...types, ...others].map(written);
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function findSubjects(statements: readonly string[], verb: string): Set<string> {
  return new Set(
    statements.filter((sql) => sql.startsWith(verb)).map((sql) => findSubject(sql) ?? sql),
  );
}

/**
 * The policies that are dropped and made again, where `alter policy` comes to the same, and whose
 * old condition needs nothing that goes.
 */
function alteredPolicies(statements: readonly string[], { before, after }: Catalogs) {
  const going = statements
    .filter((sql) => !sql.startsWith("drop policy "))
    .flatMap((sql) => /\bdrop (?:function|column|table|type) (?:\w+\.)?(\w+)/.exec(sql)?.[1] ?? []);
  const policies = before.filter(({ kind }) => kind === "policy");
  const free = policies.filter(
    (old) =>
      !going.some((name) => new RegExp(`\\b${name}\\b`).test(old.definition)) &&
      after.some((entry) => entry.kind === "policy" && isAlterable(old, entry)),
  );
  const made = findSubjects(statements, "create ");
  const dropped = findSubjects(statements, "drop policy ");
  const names = free.map(({ name }) => `policy ${name}`);
  return new Set(names.filter((subject) => made.has(subject) && dropped.has(subject)));
}

/** `alter policy` changes neither mode nor verb, and takes no condition away. */
function isAlterable(old: CatalogEntry, now: CatalogEntry): boolean {
  const getVerb = ({ definition }: CatalogEntry) => definition.split(" to ", 1)[0];
  const keeps = (condition: string) =>
    now.definition.includes(condition) || !old.definition.includes(condition);
  return (
    old.name === now.name &&
    getVerb(old) === getVerb(now) &&
    keeps(" using (") &&
    keeps(" with check (")
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
function isSaidAlready(sql: string, goes: boolean, source: string | undefined): boolean {
  const [, verb, name] =
    /^alter table \S+\s+(add|drop) (?:constraint|column) (\S+)/.exec(sql) ?? [];
  if (name === undefined) return false;
  if (verb === "drop" || source === undefined) return goes && verb === "drop";
  const text = normalize(source);
  return text.includes(` ${name} `) || text.includes(`(${name} `);
}

function isThere(subject: string, before: readonly CatalogEntry[]): boolean {
  const [kind, name] = subject.split(" ", 2);
  return before.some((entry) => entry.kind === kind && entry.name.startsWith(`${name}(`));
}

function replace(source: string): string {
  return source.replace(/^(\s*)create\s+(?=function|procedure)/im, "$1create or replace ");
}

/** `create policy … as … for … to … using …` as `alter policy`, which keeps mode and verb. */
function alter(source: string): string {
  const head = source.search(/\b(?:using|with\s+check)\b\s*\(/i);
  const end = head < 0 ? source.length : head;
  const opening = source
    .slice(0, end)
    .replace(/^(\s*)create\s+policy\b/im, "$1alter policy")
    .replace(/\bas\s+(?:permissive|restrictive)\s+/i, "")
    .replace(/\bfor\s+(?:all|select|insert|update|delete)\s+/i, "");
  return opening + source.slice(end);
}
