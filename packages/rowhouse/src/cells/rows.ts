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

/**
 * The session writes values alike on every server, names them whole, and sees all rows or fails. No
 * limit of the role ends it: one side waits while the other copies. What it commits is on the disk.
 */
export const evenSession = `
  set local search_path = '';
  set local row_security = off;
  set local datestyle = 'ISO, YMD';
  set local intervalstyle = postgres;
  set local timezone = 'UTC';
  set local extra_float_digits = 1;
  set local bytea_output = hex;
  set local lc_monetary = 'C';
  set local xmloption = content;
  set local lock_timeout = '5s';
  select set_config(name, '0', true)
  from pg_settings
  where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');
  select set_config(name, 'on', true)
  from pg_settings
  where name = 'synchronous_commit' and setting = 'off'`;

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

/** A query for rows that a move would tear apart, and what to say of them. */
interface Check {
  readonly child: string;
  readonly text: string;
  readonly describe: (count: number) => readonly [message: string, remedy: string];
}

/**
 * Makes sure that a user's rows can leave: none refers to a row that stays, and none that stays refers to them.
 *
 * @throws RowhouseError move_refused
 */
export async function assertApart(source: pg.ClientBase, graph: Graph, id: string): Promise<void> {
  for (const { text, describe } of listChecks(graph)) {
    const { rows } = await source.query<{ count: string }>(text, [id]);
    const count = Number(rows[0]?.count);
    if (count > 0) throw new RowhouseError("move_refused", ...describe(count));
  }
}

/** The queries of assertApart: $1 is the user's id. */
export function listChecks({ tables, foreignKeys }: Graph): readonly Check[] {
  const conditions = new Map(tables.map(({ name, condition }) => [name, condition]));
  return foreignKeys.flatMap(({ child, parent, columns, keys }) => {
    const [ofChild, ofParent] = [conditions.get(child), conditions.get(parent)];
    if (ofChild === undefined) return [];
    // EXISTS and not IN: for NOT IN PostgreSQL reads all of the parent's rows again for each of the child's.
    const moves = `exists (
      select from (select ${keys.join(", ")} from ${parent} where ${ofParent ?? "false"})
      as moved (${keys.map((_, i) => `k${i}`).join(", ")})
      where ${columns.map((column, i) => `moved.k${i} = child.${column}`).join(" and ")}
    ) and $1::uuid is not null`;
    const refers = columns.map((column) => `child.${column} is not null`).join(" and ");
    const leaves: Check = {
      child,
      text: `select count(*) from ${child} as child where (${ofChild}) and ${refers} and not ${moves}`,
      describe: (count) => [
        `${count} rows of ${child} that are the user's refer to rows of ${parent} that are not: others share them.`,
        "Shared rows stay in their cell, with all their members. End the user's memberships, or leave the user where they are.",
      ],
    };
    const stays: Check = {
      child,
      text: `select count(*) from ${child} as child where not coalesce(${ofChild}, false) and ${moves}`,
      describe: (count) => [
        `${count} rows of ${child} that are not the user's refer to rows of ${parent} that are.`,
        "They would be left without. Delete them, or leave the user where they are.",
      ],
    };
    return ofParent === undefined ? [leaves] : [leaves, stays];
  });
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
 * Copies a user's rows, locks them in the source, and deletes them there; neither side is committed.
 *
 * @param signal Ends it between two batches.
 * @returns What was copied.
 * @throws RowhouseError move_failed when rows arrive otherwise than they left, or cannot be deleted.
 */
export async function carryRows(
  source: pg.ClientBase,
  target: pg.ClientBase,
  graph: Graph,
  id: string,
  signal: AbortSignal | undefined,
): Promise<readonly TableCount[]> {
  const copied: TableCount[] = [];
  for (const table of graph.tables) {
    copied.push({ table: table.name, rows: await copyTable(source, target, table, id, signal) });
  }
  // What waits for the commit happens now, where all can be taken back. Compared after all of it: a
  // trigger of one table may write another.
  await target.query("set constraints all immediate");
  const other = await findDifference(source, target, graph, id);
  if (other !== undefined) {
    throw new RowhouseError(
      "move_failed",
      `The rows of ${other} arrived otherwise than they left: a trigger of the target changed them.`,
      "Let the trigger pass rows that no request brings, as those of Rowhouse do.",
    );
  }
  const deleted = await deleteRows(source, graph, id);
  await source.query("set constraints all immediate");
  const kept = copied.find(({ table, rows }) => (deleted.get(table) ?? 0) < rows);
  if (kept === undefined) return copied;
  throw new RowhouseError(
    "move_failed",
    `Rows of ${kept.table} cannot be deleted in the source: a trigger keeps them.`,
    "Let the trigger pass a deletion that no request asks for, as those of Rowhouse do.",
  );
}

/** The first table of which the two databases have other rows of a user; undefined when there is none. */
export async function findDifference(
  source: pg.ClientBase,
  target: pg.ClientBase,
  { tables }: Graph,
  id: string,
): Promise<string | undefined> {
  for (const table of tables) {
    const [left, arrived] = [await digest(source, table, id), await digest(target, table, id)];
    if (left !== arrived) return table.name;
  }
  return undefined;
}

/** About how many characters are on their way at once. */
const batchSize = 4_000_000;

async function copyTable(
  source: pg.ClientBase,
  target: pg.ClientBase,
  { name, columns, condition, refersToItself }: MovedTable,
  id: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const names = columns.map((column) => column.name).join(", ");
  const select = `select ${names} from ${name} where ${condition} for update`;
  // A cursor takes no parameters by itself: id is a UUID that PostgreSQL has read and written.
  await source.query(`declare moved no scroll cursor for ${select.replaceAll("$1", `'${id}'`)}`);
  const texts = columns.map((_, i) => `c${i}`);
  const insert = `insert into ${name} (${names})
    select ${columns.map(({ type }, i) => `c${i}::${type}`).join(", ")}
    from`;
  const batch = `unnest(${texts.map((_, i) => `$${i + 1}::text[]`).join(", ")}) as moved (${texts.join(", ")})`;
  // Rows that refer to each other arrive in one statement: they are gathered first.
  const gather = "insert into pg_temp.moved select * from";
  if (refersToItself) {
    await target.query(
      `create temporary table moved (${texts.map((text) => `${text} text`).join(", ")})`,
    );
  }
  let [count, size] = [0, 10];
  for (;;) {
    signal?.throwIfAborted();
    const { rows } = await source.query<(string | null)[]>({
      text: `fetch ${size} from moved`,
      rowMode: "array",
      types: asText,
    });
    if (rows.length === 0) break;
    await target.query(
      `${refersToItself ? gather : insert} ${batch}`,
      columns.map((_, i) => rows.map((row) => row[i] ?? null)),
    );
    count += rows.length;
    const characters = rows.flat().reduce((sum, cell) => sum + (cell?.length ?? 0), 1);
    size = Math.max(1, Math.min(1000, Math.floor((rows.length * batchSize) / characters)));
  }
  await source.query("close moved");
  if (refersToItself) await target.query(`${insert} pg_temp.moved; drop table pg_temp.moved`);
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

/** Deletes a user's rows: those that refer to others first. Returns how many of each table. */
export async function deleteRows(
  client: pg.ClientBase,
  { tables }: Graph,
  id: string,
): Promise<ReadonlyMap<string, number>> {
  const deleted = new Map<string, number>();
  for (const { name, condition } of [...tables].reverse()) {
    const { rowCount } = await client.query(`delete from ${name} where ${condition}`, [id]);
    deleted.set(name, rowCount ?? 0);
  }
  return deleted;
}
