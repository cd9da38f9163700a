import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import type { ApiNames } from "../../stack/api-names.ts";

/**
 * What rules ask for by ":<name>", as oids: what differs from one project to the next. They are
 * parameters of the queries.
 */
export interface RuleNames {
  /** The exposed schemas. */
  readonly schemas: readonly number[];
  /** The schemas of the functions that policies, triggers and every request call, where not exposed. */
  readonly helpers: readonly number[];
  /** The role of a request without a token. */
  readonly anonymous: number | null;
  /** The role of a user's token. */
  readonly user: number | null;
  /** The roles that a request can have, without those that no policy holds. */
  readonly roles: readonly number[];
  /** All roles that a request can have. */
  readonly all_roles: readonly number[];
  /** PostgREST's own roles. */
  readonly logins: readonly number[];
  /** Whether the project follows the conventions: there are request.user_id() and request.plannable(). */
  readonly follows_conventions: boolean;
  /** The tables whose rows belong to users, and for each the number of the column that says to whom. */
  readonly owned_tables: readonly number[];
  readonly owner_columns: readonly number[];
}

const namesQuery = readFileSync(join(import.meta.dirname, "names.sql"), "utf8");

/**
 * Completes the names of an API by what rules need. The search path is empty.
 *
 * @param platform The schemas of the platform, which no project can change.
 */
export async function readRuleNames(
  client: pg.ClientBase,
  names: ApiNames,
  platform: readonly string[],
): Promise<RuleNames> {
  const { rows } = await client.query<{ names: RuleNames }>(namesQuery, [
    names.schemas,
    names.anonymous ?? null,
    names.user ?? null,
    names.roles,
    names.logins,
    names.usersTable ?? null,
    names.preRequest ?? null,
    platform,
  ]);
  const [row] = rows;
  if (row === undefined) throw new Error("The query of names gives one row.");
  return row.names;
}

/** A rule's query with its names, written ":schemas" there, as parameters. */
export function bindNames(query: string, names: RuleNames): { text: string; values: unknown[] } {
  const used = Object.keys(names).filter((name) =>
    new RegExp(`(?<![:\\w]):${name}\\b`).test(query),
  );
  const text = used.reduce(
    (sql, name, index) => sql.replace(new RegExp(`(?<![:\\w]):${name}\\b`, "g"), `$${index + 1}`),
    query,
  );
  return { text, values: used.map((name) => names[name as keyof RuleNames]) };
}
