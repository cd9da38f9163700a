import type pg from "pg";
import { RowhouseError } from "../lib/errors.ts";
import type { Graph, MovedTable } from "./graph.ts";
import { usersTable } from "./graph.ts";

/** How many rows of a table are the user's. */
export interface TableCount {
  readonly table: string;
  readonly rows: number;
}

/** Every value as PostgreSQL writes it, which loses nothing. */
const asText = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

/** The session writes values alike on every server, names them whole, and sees all rows or fails. */
export const evenSession = `
  set local search_path = '';
  set local row_security = off;
  set local datestyle = 'ISO, YMD';
  set local intervalstyle = postgres;
  set local timezone = 'UTC';
  set local extra_float_digits = 1;
  set local bytea_output = hex;
  set local lock_timeout = '5s'`;

/** Counts a user's rows, table by table; parents first. */
export async function countRows(
  client: pg.ClientBase,
  { tables }: Graph,
  id: string,
): Promise<readonly TableCount[]> {
  const counts: TableCount[] = [];
  for (const { name, condition } of tables) {
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from ${name} where ${condition}`,
      [id],
    );
    counts.push({ table: name, rows: Number(rows[0]?.count) });
  }
  return counts;
}

/**
 * Makes sure that a user's rows can leave: none refers to a row that stays, and none that stays refers to them.
 *
 * @throws RowhouseError move_refused
 */
export async function assertApart(
  source: pg.ClientBase,
  { tables, foreignKeys }: Graph,
  id: string,
): Promise<void> {
  const conditions = new Map(tables.map(({ name, condition }) => [name, condition]));
  for (const { child, parent, columns, keys } of foreignKeys) {
    const [ofChild, ofParent] = [conditions.get(child), conditions.get(parent)];
    if (ofChild !== undefined) {
      const notNull = columns.split(", ").map((column) => `${column} is not null`);
      const whole = keys.split(", ").map((key) => `${key} is not null`);
      const moved = `select ${keys} from ${parent} where (${ofParent ?? "false"}) and ${whole.join(" and ")}`;
      const text = `select count(*) from ${child} where (${ofChild}) and ${notNull.join(" and ")}
        and (${columns}) not in (${moved}) and $1::uuid is not null`;
      await refuseAny(source, text, id, (count) => [
        `${count} rows of ${child} that are the user's refer to rows of ${parent} that are not: others share them.`,
        "Shared rows stay in their cell, with all their members. End the user's memberships, or leave the user where they are.",
      ]);
    }
    if (ofChild !== undefined && ofParent !== undefined) {
      const text = `select count(*) from ${child} where not coalesce(${ofChild}, false)
        and (${columns}) in (select ${keys} from ${parent} where ${ofParent}) and $1::uuid is not null`;
      await refuseAny(source, text, id, (count) => [
        `${count} rows of ${child} that are not the user's refer to rows of ${parent} that are.`,
        "They would be left without. Delete them, or leave the user where they are.",
      ]);
    }
  }
}

async function refuseAny(
  client: pg.ClientBase,
  text: string,
  id: string,
  describe: (count: number) => readonly [string, string],
): Promise<void> {
  const { rows } = await client.query<{ count: string }>(text, [id]);
  const count = Number(rows[0]?.count);
  if (count > 0) throw new RowhouseError("move_refused", ...describe(count));
}

/**
 * Makes sure that both cells have the same tables.
 *
 * @throws RowhouseError move_refused
 */
export function assertAlike(source: Graph, target: Graph): void {
  const describe = ({ tables }: Graph) =>
    new Map(tables.map(({ name, columns }) => [name, JSON.stringify(columns)]));
  const [here, there] = [describe(source), describe(target)];
  const names = [...new Set([...here.keys(), ...there.keys()])];
  const other = names.filter((name) => here.get(name) !== there.get(name));
  if (other.length === 0) return;
  throw new RowhouseError(
    "move_refused",
    `The cells differ in ${other.join(", ")}.`,
    "Apply the same migrations to both.",
  );
}

/** Locks a user's row: no row that refers to it can be added until the transaction ends. */
export async function lockUser(client: pg.ClientBase, id: string): Promise<void> {
  await client.query(`select from ${usersTable} where id = $1 for update`, [id]);
}

/**
 * Copies a user's rows, and locks them in the source.
 *
 * @returns What was copied.
 * @throws RowhouseError move_failed when a row arrives otherwise than it left.
 */
export async function copyRows(
  source: pg.ClientBase,
  target: pg.ClientBase,
  { tables }: Graph,
  id: string,
): Promise<readonly TableCount[]> {
  const copied: TableCount[] = [];
  for (const table of tables) {
    const rows = await copyTable(source, target, table, id);
    const [left, arrived] = [await digest(source, table, id), await digest(target, table, id)];
    if (left !== arrived) {
      throw new RowhouseError(
        "move_failed",
        `The rows of ${table.name} arrived otherwise than they left: a trigger of the target changed them.`,
        "Let the trigger pass rows that no request brings, as those of Rowhouse do.",
      );
    }
    copied.push({ table: table.name, rows });
  }
  return copied;
}

async function copyTable(
  source: pg.ClientBase,
  target: pg.ClientBase,
  { name, columns, condition, refersToItself }: MovedTable,
  id: string,
): Promise<number> {
  const names = columns.map((column) => column.name);
  const batch = refersToItself ? "all" : "1000";
  const select = `select ${names.join(", ")} from ${name} where ${condition} for update`;
  // A cursor takes no parameters by itself: id is a UUID that PostgreSQL has read and written.
  await source.query(`declare moved no scroll cursor for ${select.replaceAll("$1", `'${id}'`)}`);
  const insert = `insert into ${name} (${names.join(", ")})
    select ${columns.map(({ type }, i) => `c${i}::${type}`).join(", ")}
    from unnest(${columns.map((_, i) => `$${i + 1}::text[]`).join(", ")})
    as moved (${columns.map((_, i) => `c${i}`).join(", ")})`;
  let count = 0;
  for (;;) {
    const { rows } = await source.query<(string | null)[]>({
      text: `fetch ${batch} from moved`,
      rowMode: "array",
      types: asText,
    });
    if (rows.length > 0) {
      await target.query(
        insert,
        columns.map((_, i) => rows.map((row) => row[i] ?? null)),
      );
    }
    count += rows.length;
    if (rows.length === 0 || refersToItself) break;
  }
  await source.query("close moved");
  return count;
}

/** The number of a user's rows in a table, and a fingerprint of them in any order. */
async function digest(
  client: pg.ClientBase,
  { name, columns, condition }: MovedTable,
  id: string,
): Promise<string> {
  const row = `row(${columns.map((column) => column.name).join(", ")})::text`;
  const { rows } = await client.query<{ digest: string }>(
    `select count(*) || ' ' || coalesce(sum(hashtextextended(${row} collate "C", 0)), 0) as digest
    from ${name} where ${condition}`,
    [id],
  );
  return rows[0]?.digest ?? "";
}

/** Deletes a user's rows: those that refer to others first. */
export async function deleteRows(
  client: pg.ClientBase,
  { tables }: Graph,
  id: string,
): Promise<void> {
  for (const { name, condition } of [...tables].reverse()) {
    await client.query(`delete from ${name} where ${condition}`, [id]);
  }
}
