import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CatalogDifference,
  type CatalogEntry,
  compareCatalogs,
  readCatalog,
} from "../catalog/catalog.ts";
import { reasonOf } from "../errors.ts";
import { withClient } from "../stack/database.ts";
import { migrate, rollback } from "../stack/dbmate.ts";
import type { Scratch } from "../stack/scratch.ts";
import { makeRows, tablesOf, type WithoutRows } from "./rows.ts";

/** What was seen when a migration was tried. */
export interface Proof {
  /** How many made-up rows were there, in how many tables. */
  readonly rows: number;
  readonly tables: number;
  readonly untried: readonly WithoutRows[];
}

/** Why a migration does not do what it should, and in which direction. */
export interface Refutation {
  readonly direction: "up" | "down";
  readonly reason: string;
}

/** A migration that is to be tried. */
export interface Attempt {
  /** `20261121090000_name.sql` */
  readonly file: string;
  readonly text: string;
  /** The folder of the migrations that come before. */
  readonly dir: string;
  /** What the database must hold after it. */
  readonly declared: readonly CatalogEntry[];
  /** The tables and columns whose rows need not survive: "api.tasks", "api.tasks.title". */
  readonly losing: ReadonlySet<string>;
}

/**
 * Tries a migration on a throwaway server: the ones before it are applied, rows are made up, then
 * dbmate goes up, down and up again.
 *
 * @returns What was seen, or why it fails.
 */
export async function prove(scratch: Scratch, attempt: Attempt): Promise<Proof | Refutation> {
  const dir = mkdtempSync(join(tmpdir(), "rowhouse-migrations-"));
  const url = await scratch.create();
  try {
    cpSync(attempt.dir, dir, { recursive: true });
    await migrate(url, undefined, dir);
    const before = await readCatalog(url);
    const untried = await withClient(url, makeRows);
    const rows = keptOf(await readRows(url), attempt.losing);
    writeFileSync(join(dir, attempt.file), attempt.text);
    const step = { url, dir, rows };
    const failure =
      (await refuted(step, "up", attempt.declared)) ??
      (await refuted(step, "down", before)) ??
      (await refuted(step, "up", attempt.declared));
    if (failure) return failure;
    const counts = [...rows.values()].map((some) => some.length);
    const filled = counts.filter((count) => count > 0).length;
    return { rows: counts.reduce((sum, count) => sum + count, 0), tables: filled, untried };
  } finally {
    await scratch.drop(url);
    rmSync(dir, { recursive: true });
  }
}

/** The rows of every table, each as its columns. */
type Rows = ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;

interface Step {
  readonly url: string;
  readonly dir: string;
  /** The rows that were there at first. */
  readonly rows: Rows;
}

async function refuted(
  { url, dir, rows }: Step,
  direction: "up" | "down",
  wanted: readonly CatalogEntry[],
): Promise<Refutation | undefined> {
  try {
    if (direction === "up") await migrate(url, undefined, dir);
    else await rollback(url, 1, undefined, dir);
  } catch (error) {
    return { direction, reason: reasonOf(error) };
  }
  const difference = compareCatalogs(wanted, await readCatalog(url));
  const changed = [...difference.missing, ...difference.surplus];
  if (changed.length > 0) return { direction, reason: told(difference) };
  const lost = lostTable(rows, await readRows(url));
  return lost ? { direction, reason: `It changes or loses rows of ${lost}.` } : undefined;
}

function told({ missing, surplus }: CatalogDifference): string {
  const line = (sign: string) => (entry: CatalogEntry) =>
    `  ${sign} ${entry.kind} ${entry.name}: ${entry.definition}`;
  return [
    "It arrives somewhere else (- is missing, + is too much):",
    ...missing.map(line("-")),
    ...surplus.map(line("+")),
  ].join("\n");
}

/** The rows without the tables and columns that are given up. */
function keptOf(rows: Rows, losing: ReadonlySet<string>): Rows {
  const kept = [...rows].filter(([table]) => !losing.has(table));
  return new Map(
    kept.map(([table, some]) => [
      table,
      some.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([name]) => !losing.has(`${table}.${name}`))),
      ),
    ]),
  );
}

/** The first table of which a row is gone, or has changed in a column that it had. New ones may come. */
function lostTable(before: Rows, after: Rows): string | undefined {
  for (const [table, rows] of before) {
    const left = after.get(table) ?? [];
    const wanted = rows.map((row) => JSON.stringify(row));
    const columns = Object.keys(rows[0] ?? {});
    const found = new Set(
      left.map((row) =>
        JSON.stringify(Object.fromEntries(columns.map((name) => [name, row[name]]))),
      ),
    );
    if (!wanted.every((row) => found.has(row))) return table;
  }
  return undefined;
}

async function readRows(url: string): Promise<Rows> {
  return withClient(url, async (client) => {
    const tables = await tablesOf(client);
    const rows = new Map<string, Record<string, unknown>[]>();
    for (const { table } of tables) {
      const answer = await client.query(`select to_jsonb(one) as row from ${table} as one`);
      rows.set(
        table,
        answer.rows.map(({ row }) => row),
      );
    }
    return rows;
  });
}
