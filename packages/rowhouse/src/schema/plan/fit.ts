import type pg from "pg";
import { errorCode } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import { type CatalogEntry, compareCatalogs } from "../catalog/catalog.ts";
import { parseStatement } from "../catalog/sql.ts";
import { findSubject } from "../catalog/subject.ts";
import { leaveBodiesUnchecked } from "./bodies.ts";
import { planChanges } from "./plan.ts";
import { getRoles, readCatalogWithRoles, withoutRoles } from "./roles.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Sources } from "./sources.ts";

/** How a plan is tried. */
interface FitOptions {
  /** The roles that the plan leaves on the server. */
  readonly staying?: readonly string[];
  /** Whether the bodies of functions are not looked into. */
  readonly unchecked?: boolean;
}

/**
 * Plans with as many statements as people wrote them as lead there: one that fails, or arrives
 * elsewhere, is left to the planner, and the others stay. What names something that is made later
 * comes after it. The database is only tried on: nothing stays.
 *
 * @param url The database that `from` is of.
 * @param options What the plan leaves on the server, and how it is run.
 * @returns The statements in an order that works; where none does, those that work come first.
 */
export async function fitSources(
  url: string,
  [from, to]: readonly [Snapshot, Snapshot],
  sources: Sources,
  { staying = [], unchecked = false }: FitOptions = {},
): Promise<string[]> {
  const fitting = new Map(sources);
  const wanted = withoutRoles(to.catalog, staying);
  for (;;) {
    const statements = planChanges(from, to, fitting);
    const { order, left, odd } = await tryOn(url, statements, wanted, { staying, unchecked });
    if (odd.length === 0) return order;
    const subjects = [...fitting.keys()].filter((subject) => odd.some((one) => one(subject)));
    if (subjects.length === 0) return [...order, ...left];
    for (const subject of subjects) fitting.delete(subject);
  }
}

/** An order of statements. */
interface Order {
  readonly order: readonly string[];
  /** What works in no order, and why; the statements then have the order that they had. */
  readonly failed?: { readonly sql: string; readonly error: unknown } | undefined;
}

/**
 * Finds an order in which statements work, with the bodies of functions unchecked. The database is only
 * tried on: nothing stays.
 */
export async function findOrder(url: string, statements: readonly string[]): Promise<Order> {
  return withClient(url, async (client) => {
    await client.query("begin");
    await client.query(leaveBodiesUnchecked);
    const { order, left, error } = await runInAnyOrder(client, statements);
    await client.query("rollback");
    const [sql] = left;
    return sql === undefined ? { order } : { order: statements, failed: { sql, error } };
  });
}

/** SQLSTATEs of "there is no such object (yet)", and of "something depends on it (still)". */
const tooEarly = new Set(["3F000", "42704", "42883", "42P01", "2BP01"]);

/** SQLSTATEs of "there is such a constraint", and "such a column", "already". */
const alreadyThere = new Set(["42710", "42701"]);

interface Trial {
  readonly order: readonly string[];
  /** From the statement that failed on; empty when all are in. */
  readonly left: readonly string[];
  /** Why that one failed. */
  readonly error?: unknown;
}

/** @returns The order that works, what is left, and how to tell the subjects of what did not. */
async function tryOn(
  url: string,
  statements: readonly string[],
  wanted: readonly CatalogEntry[],
  { staying, unchecked }: Required<FitOptions>,
): Promise<{ order: string[]; left: string[]; odd: ((subject: string) => boolean)[] }> {
  return withClient(url, async (client) => {
    await client.query("begin");
    if (unchecked) await client.query(leaveBodiesUnchecked);
    const { order, left } = await runInAnyOrder(client, statements);
    const [failed] = left;
    if (failed !== undefined) {
      await client.query("rollback");
      const isOfFailed = (subject: string) => subject === findSubject(failed);
      return { order: [...order], left: [...left], odd: [isOfFailed] };
    }
    const catalog = await readCatalogWithRoles(client, getRoles(wanted));
    await client.query("rollback");
    const { missing, surplus } = compareCatalogs(wanted, withoutRoles(catalog, staying));
    const odd = [...missing, ...surplus].map(
      ({ name }) =>
        (subject: string) =>
          isPartOf(name, subject),
    );
    return { order: [...order], left: [], odd };
  });
}

/** Whether a catalog entry, "api.tasks.title" or "select_own on api.tasks", is about a subject. */
function isPartOf(entry: string, subject: string): boolean {
  const [, name = ""] = /^\S+ (.*)$/.exec(subject) ?? [];
  return entry === name || entry.startsWith(`${name}.`) || entry.startsWith(`${name}(`);
}

async function runInAnyOrder(client: pg.ClientBase, statements: readonly string[]): Promise<Trial> {
  const order: string[] = [];
  let pending = statements;
  while (pending.length > 0) {
    const left: string[] = [];
    let first: unknown;
    for (const [index, sql] of pending.entries()) {
      const error = await run(client, sql);
      const code = errorCode(error) ?? "";
      if (error === undefined) order.push(sql);
      else if (isThereAlready(sql, code)) continue;
      else if (!tooEarly.has(code))
        return { order, left: [sql, ...left, ...pending.slice(index + 1)], error };
      else {
        left.push(sql);
        first ??= error;
      }
    }
    if (left.length === pending.length) return { order, left, error: first };
    pending = left;
  }
  return { order, left: [] };
}

/** What a table's own statement said without a name: `references api.users (id)`. */
function isThereAlready(sql: string, code: string): boolean {
  const tree = alreadyThere.has(code) ? parseStatement(sql) : undefined;
  const cmds = (tree && "AlterTableStmt" in tree && tree.AlterTableStmt.cmds) || [];
  return cmds.some(
    (cmd) =>
      "AlterTableCmd" in cmd &&
      ["AT_AddColumn", "AT_AddConstraint"].includes(cmd.AlterTableCmd.subtype ?? ""),
  );
}

/** @returns The error when it failed; nothing of it stays then. */
async function run(client: pg.ClientBase, sql: string): Promise<unknown> {
  await client.query("savepoint statement");
  try {
    await client.query(sql);
    await client.query("release savepoint statement");
    return undefined;
  } catch (error) {
    await client.query("rollback to savepoint statement");
    return error;
  }
}
