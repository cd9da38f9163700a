import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";

/** The table that all rows of a user hang from, as the catalog writes it. */
export const usersTable = "api.users";

/** A foreign key: names are quoted where they need it, columns separated by commas. */
interface ForeignKey {
  readonly child: string;
  readonly parent: string;
  readonly columns: string;
  readonly keys: string;
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

const [foreignKeys, columns] = ["foreign_keys", "columns"].map((name) =>
  readFileSync(join(import.meta.dirname, `${name}.sql`), "utf8"),
) as [string, string];

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

/** A row is the user's when a foreign key leads to one that is. */
function belongs(name: string, keys: readonly ForeignKey[], below: readonly string[] = []): string {
  if (name === usersTable) return "id = $1";
  const path = [...below, name];
  const ways = keys
    .filter(({ child, parent }) => child === name && !path.includes(parent))
    .map((key) => ({ key, condition: belongs(key.parent, keys, path) }))
    .filter(({ condition }) => condition !== "false")
    .map(
      ({ key, condition }) =>
        `(${key.columns}) in (select ${key.keys} from ${key.parent} where ${condition})`,
    );
  return ways.length === 0 ? "false" : ways.join(" or ");
}
