import type pg from "pg";
import { errorCode, errorMessage } from "../../lib/errors.ts";
import { actAs, type Caller } from "../model/caller.ts";
import { prepareOver, runOver, useSearchPath } from "../model/evaluate.ts";
import type { Relation } from "../model/model.ts";
import { quoteName, sqlName } from "../model/names.ts";
import type { Change } from "./changes.ts";
import { counts, exampleExpression, getColumns, passes, type Scan, sides, tests } from "./scan.ts";

/** How many rows a caller gains, loses and keeps by a change, with examples. */
export interface Tally {
  gained: number;
  lost: number;
  kept: number;
  readonly examples: { readonly gained: string[]; readonly lost: string[] };
}

/** No rows yet. */
function emptyTally(): Tally {
  return { gained: 0, lost: 0, kept: 0, examples: { gained: [], lost: [] } };
}

/** The text of each failed condition's reason, or the tallies in the order of the changes. */
type Tallies = readonly Tally[] | { readonly obstacle: string };

/**
 * Counts within the database, in one pass over the table, with the rights of its owner: for
 * conditions that look at nothing but the row and the claims.
 */
export async function tallyInPlace(
  client: pg.ClientBase,
  scan: Scan,
  caller: Caller,
): Promise<Tallies> {
  return unlessItFails(client, async () => {
    await useSearchPath(client, scan.relation, caller.role);
    await actAs(client, caller, false);
    const table = `${sqlName(scan.relation)} as ${quoteName(scan.relation.name)}`;
    // The offset keeps the planner from computing a condition as often as it is counted.
    const judged = `select ${sides(scan)}, ${exampleExpression(scan.relation)} as example from ${table} where ${passes(scan)} offset 0`;
    const from = `from (${judged}) as judged`;
    const { rows } = await client.query<Record<string, string>>(`select ${counts(scan)} ${from}`);
    const tallies: Tally[] = [];
    for (const [index, change] of scan.changes.entries()) {
      const tally = emptyTally();
      for (const part of ["gained", "lost", "kept"] as const) {
        tally[part] = Number(rows[0]?.[`${part}_${index}`]);
      }
      for (const part of ["gained", "lost"] as const) {
        if (tally[part] === 0) continue;
        const text = `select example::text ${from} where ${tests(scan, change)[part]} limit ${scan.examples}`;
        const found = await client.query<{ example: string }>(text);
        tally.examples[part].push(...found.rows.map(({ example }) => example));
      }
      tallies.push(tally);
    }
    return tallies;
  });
}

/** Whether a table holds nothing at all. */
export async function hasNoRows(client: pg.ClientBase, relation: Relation): Promise<boolean> {
  const { rowCount } = await client.query(`select from ${sqlName(relation)} limit 1`);
  return rowCount === 0;
}

/** How many rows go to and fro at once. */
const batchSize = 1000;

/**
 * Counts for several people with the rights of their role, so that what a condition reads is what
 * they would see: the owner reads the rows, and hands them back to be judged. Much slower.
 */
export async function tallyAsRole(
  client: pg.ClientBase,
  scan: Scan,
  callers: readonly Caller[],
  progress: (rows: number) => void,
): Promise<readonly (readonly Tally[])[] | { readonly obstacle: string }> {
  const { relation } = scan;
  const tallies = callers.map(() => scan.changes.map(emptyTally));
  let prepared: string | undefined;
  const outcome = await unlessItFails(client, async () => {
    const [first] = callers;
    if (first === undefined) return tallies;
    await useSearchPath(client, relation, first.role);
    prepared = await prepareOver(client, relation, sides(scan));
    const alias = quoteName(relation.name);
    await client.query(
      `declare rowhouse_rows no scroll cursor for select (${alias}.*)::text as row, (${exampleExpression(relation)})::text as example from ${sqlName(relation)} as ${alias}`,
    );
    for (let seen = 0; ; ) {
      const { rows } = await client.query<Judged>(`fetch ${batchSize} from rowhouse_rows`);
      if (rows.length === 0) break;
      for (const [index, caller] of callers.entries()) {
        await judge(client, { prepared, scan, caller, rows, tallies: tallies[index] ?? [] });
      }
      seen += rows.length;
      progress(seen);
    }
    return tallies;
  });
  if (prepared !== undefined) await client.query(`deallocate ${prepared}`);
  return outcome;
}

interface Judged {
  readonly row: string;
  readonly example: string;
}

/** Adds a batch of rows to the tallies of one person. */
async function judge(
  client: pg.ClientBase,
  work: { prepared: string; scan: Scan; caller: Caller; rows: Judged[]; tallies: Tally[] },
): Promise<void> {
  await client.query("savepoint person");
  await actAs(client, work.caller, true);
  const texts = work.rows.map(({ row }) => row);
  const verdicts = await runOver<Record<string, boolean>>(client, work.prepared, texts);
  await client.query("rollback to savepoint person");
  for (const [index, tally] of work.tallies.entries()) {
    const [before, after] = getColumns(work.scan, work.scan.changes[index] as Change);
    for (const [position, verdict] of verdicts.entries()) {
      const part = classify(verdict[before] === true, verdict[after] === true);
      addTo(tally, part, work.rows[position]?.example ?? "", work.scan.examples);
    }
  }
}

function addTo(
  tally: Tally,
  part: "gained" | "lost" | "kept" | null,
  example: string,
  most: number,
) {
  if (part === null) return;
  tally[part] += 1;
  if (part !== "kept" && tally.examples[part].length < most) tally.examples[part].push(example);
}

function classify(before: boolean, after: boolean): "gained" | "lost" | "kept" | null {
  if (before) return after ? "kept" : "lost";
  return after ? "gained" : null;
}

/** Leaves the transaction as it was. An error of PostgreSQL about a condition is a result, not a failure. */
async function unlessItFails<T>(
  client: pg.ClientBase,
  work: () => Promise<T>,
): Promise<T | { readonly obstacle: string }> {
  await client.query("savepoint tally");
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || code === "57014" || !/^[0-9A-Z]{5}$/.test(code)) throw error;
    return { obstacle: `a condition cannot be evaluated: ${errorMessage(error)}` };
  } finally {
    await client.query("rollback to savepoint tally");
  }
}
