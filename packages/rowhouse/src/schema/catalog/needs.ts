import type { Node } from "libpg-query";
import { parseStatements, type Statement, type Tree } from "./sql.ts";
import { quotePath } from "./subject.ts";

/** A file that cannot go on, as long as something is missing. */
export interface StuckFile {
  readonly file: string;
  /** The statements that are not in yet; the first is the one that fails. */
  readonly rest: readonly Statement[];
}

/** That a file needs what another one makes. */
export interface Need<F extends StuckFile> {
  readonly from: F;
  readonly object: string;
  readonly to: F;
}

/**
 * What keeps files from going on: a file that needs none of the others, or a circle of files of which
 * each needs the next.
 *
 * @param files At least one.
 */
export function findObstacle<F extends StuckFile>(
  files: readonly F[],
): { readonly cause: F } | { readonly cycle: readonly Need<F>[] } {
  const needs = new Map(files.map((file) => [file, findNeed(file, files)]));
  const [first] = files as [F, ...F[]];
  const free = files.find((file) => needs.get(file) === undefined);
  if (free !== undefined) return { cause: free };
  // Each needs another one, so following them leads into a circle.
  const path: Need<F>[] = [];
  for (let file = first; ; ) {
    const start = path.findIndex(({ from }) => from === file);
    if (start >= 0) return { cycle: path.slice(start) };
    const need = needs.get(file) as Need<F>;
    path.push(need);
    file = need.to;
  }
}

function findNeed<F extends StuckFile>(from: F, files: readonly F[]): Need<F> | undefined {
  const needed = new Set(listNeeded(from.rest[0]?.tree));
  for (const to of files) {
    if (to === from) continue;
    const object = to.rest.flatMap(({ tree }) => listMade(tree)).find((name) => needed.has(name));
    if (object !== undefined) return { from, object, to };
  }
  return undefined;
}

/** What the statement that fails needs, and the same file makes below it. */
export function findNeededBelow({ rest: [first, ...below] }: StuckFile): string | undefined {
  const needed = new Set(listNeeded(first?.tree));
  return below.flatMap(({ tree }) => listMade(tree)).find((name) => needed.has(name));
}

/** The names of all that a statement makes that others can need: "api.tasks", "api", "staff". */
function listMade(tree: Tree | undefined): string[] {
  const [kind = "", statement] = Object.entries(tree ?? {})[0] ?? [];
  const key = makers[kind];
  if (key === undefined || (kind === "AlterTableStmt" && !addsColumn(statement))) return [];
  const name: unknown = key.split(".").reduce<unknown>((node, part) => get(node, part), statement);
  // Of a relation, the second name is its schema.
  return typeof name === "string" ? [quotePath([name])] : nameOf(name).slice(0, 1);
}

/** Where a statement has the name of what it makes. */
const makers: Readonly<Record<string, string>> = {
  AlterTableStmt: "relation",
  CompositeTypeStmt: "typevar",
  CreateDomainStmt: "domainname",
  CreateEnumStmt: "typeName",
  CreateFunctionStmt: "funcname",
  CreateRangeStmt: "typeName",
  CreateRoleStmt: "role",
  CreateSchemaStmt: "schemaname",
  CreateSeqStmt: "sequence",
  CreateStmt: "relation",
  CreateTableAsStmt: "into.rel",
  DefineStmt: "defnames",
  ViewStmt: "view",
};

function addsColumn(statement: unknown): boolean {
  return JSON.stringify(statement).includes('"AT_AddColumn"');
}

/** The names in a statement, and in the body of a function in SQL. */
function listNeeded(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const parts = Object.values(node).flatMap(listNeeded);
  return [...nameOf(node), ...parts, ...listNeededByBody(node), ...listRoles(node)];
}

/** The name that a node is, if it is one: a relation, or a list of strings. */
function nameOf(node: unknown): string[] {
  if (Array.isArray(node)) {
    const names = node.map((part: Node) => ("String" in part ? part.String.sval : undefined));
    return names.length > 0 && names.every((name) => name !== undefined) ? [quotePath(names)] : [];
  }
  const relation = get(node, "relname");
  if (typeof relation !== "string") return [];
  const schema = get(node, "schemaname");
  return typeof schema === "string"
    ? [quotePath([schema, relation]), quotePath([schema])]
    : [quotePath([relation])];
}

function listRoles(node: object): string[] {
  const role = get(node, "rolename") ?? get(node, "priv_name");
  return typeof role === "string" ? [quotePath([role])] : [];
}

/** PostgreSQL looks into the body of a function in SQL when it is made; into others later. */
function listNeededByBody(node: object): string[] {
  const options = get(get(node, "CreateFunctionStmt"), "options");
  if (!Array.isArray(options)) return [];
  const getOption = (name: string) =>
    get(
      get(
        options.find((one) => get(get(one, "DefElem"), "defname") === name),
        "DefElem",
      ),
      "arg",
    );
  const language = get(get(getOption("language"), "String"), "sval");
  const body = get(get(get(getOption("as"), "List"), "items"), "0");
  const text = get(get(body, "String"), "sval");
  if (language !== "sql" || typeof text !== "string") return [];
  return parseStatements(text).flatMap(listNeeded);
}

function get(node: unknown, key: string): unknown {
  return typeof node === "object" && node !== null
    ? (node as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
