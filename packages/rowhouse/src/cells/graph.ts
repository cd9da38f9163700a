import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";

/** The table that all rows of a user hang from, as the catalog writes it. */
export const usersTable = "api.users";

/** A foreign key: names are quoted where they need it. */
interface ForeignKey {
  readonly child: string;
  readonly parent: string;
  readonly columns: readonly string[];
  readonly keys: readonly string[];
  /** Whether none of its columns can be null: then every row of the child has a parent. */
  readonly always: boolean;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly numbered: boolean;
}

/** A table with rows of a user. */
export interface MovedTable {
  readonly name: string;
  readonly columns: readonly Column[];
  /** SQL: whether a row is the user's, whose id is $1. */
  readonly condition: string;
  /** Whether its rows may refer to each other. */
  readonly refersToItself: boolean;
}

/** What hangs from the users, those that others refer to before these. */
export interface Graph {
  readonly tables: readonly MovedTable[];
  readonly foreignKeys: readonly ForeignKey[];
}

const [foreignKeys, columns, loose] = ["foreign_keys", "columns", "loose"].map((name) =>
  readFileSync(join(import.meta.dirname, `${name}.sql`), "utf8"),
) as [string, string, string];

/**
 * Finds the tables that hang from the users, directly or by others.
 *
 * @param client A connection whose search_path is empty, so that names are whole.
 * @throws RowhouseError move_refused when foreign keys lead in a circle, or a sequence numbers rows.
 */
export async function readGraph(client: pg.ClientBase): Promise<Graph> {
  const { rows: keys } = await client.query<ForeignKey>(foreignKeys);
  const names = sortTables(findTables(keys), keys);
  const tables: MovedTable[] = [];
  for (const name of names) {
    const { rows } = await client.query<Column>(columns, [name]);
    const numbered = rows.find((column) => column.numbered);
    if (numbered !== undefined) {
      throw new RowhouseError(
        "move_refused",
        `A sequence numbers ${name}.${numbered.name}: in another cell the same numbers are taken, or will be.`,
        "Key the table by a UUID, as `rowhouse db table` does.",
      );
    }
    const refersToItself = keys.some(({ child, parent }) => child === name && parent === name);
    tables.push({ name, columns: rows, condition: belongs(name, keys), refersToItself });
  }
  return { tables, foreignKeys: keys };
}

/**
 * Makes sure that no table has rows of a user which no foreign key leads to: they would stay behind.
 *
 * @param schemas The exposed ones.
 * @throws RowhouseError move_refused
 */
export async function assertHangs(
  client: pg.ClientBase,
  { tables }: Graph,
  schemas: readonly string[],
  id: string,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(loose, [schemas]);
  for (const { name } of rows) {
    if (tables.some((table) => table.name === name)) continue;
    const found = await client.query(`select from ${name} where user_id = $1 limit 1`, [id]);
    if (found.rowCount === 0) continue;
    throw new RowhouseError(
      "move_refused",
      `${name} has rows of the user, and no foreign key leads to them from ${usersTable}: they would stay behind.`,
      `Add one: foreign key (user_id) references ${usersTable} (id).`,
    );
  }
}

function findTables(keys: readonly ForeignKey[]): ReadonlySet<string> {
  const found = new Set([usersTable]);
  for (const parent of found) {
    for (const key of keys) if (key.parent === parent) found.add(key.child);
  }
  return found;
}

/** Parents first. */
function sortTables(found: ReadonlySet<string>, keys: readonly ForeignKey[]): readonly string[] {
  const left = new Set(found);
  const sorted: string[] = [];
  const waits = (name: string) =>
    keys.some(({ child, parent }) => child === name && parent !== name && left.has(parent));
  while (left.size > 0) {
    const ready = [...left].filter((name) => !waits(name)).sort();
    if (ready.length === 0) {
      throw new RowhouseError(
        "move_refused",
        `Foreign keys lead in a circle: ${[...left].sort().join(", ")}.`,
        "No row of them can be written before the others. Take one of the foreign keys away.",
      );
    }
    for (const name of ready) left.delete(name);
    sorted.push(...ready);
  }
  return sorted;
}

/**
 * A row is the user's when a foreign key leads to one that is. Where every row has such a parent, that
 * one way decides: a row that another way leads to is shared then, and the move refused (assertApart).
 * Several ways would be an OR, for which PostgreSQL reads the rows of all users.
 */
function belongs(name: string, keys: readonly ForeignKey[], below: readonly string[] = []): string {
  if (name === usersTable) return "id = $1";
  const path = [...below, name];
  const ways = keys
    .filter(({ child, parent }) => child === name && !path.includes(parent))
    .map((key) => ({ key, condition: belongs(key.parent, keys, path) }))
    .filter(({ condition }) => condition !== "false");
  const certain = ways.filter(({ key }) => key.always);
  const straight = certain.find(({ key }) => key.parent === usersTable) ?? certain[0];
  return (straight === undefined ? ways : [straight]).map(toCondition).join(" or ") || "false";
}

function toCondition({ key, condition }: { key: ForeignKey; condition: string }): string {
  const { parent, columns, keys } = key;
  if (parent === usersTable && keys.join() === "id") return `${columns.join()} = $1`;
  return `(${columns.join(", ")}) in (select ${keys.join(", ")} from ${parent} where ${condition})`;
}
