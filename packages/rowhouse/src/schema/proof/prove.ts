import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../../lib/errors.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { withClient } from "../../stack/database.ts";
import { migrate, rollback } from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { type CatalogDifference, type CatalogEntry, compareCatalogs } from "../catalog/catalog.ts";
import { getRoles, readCatalogWithRoles, withoutRoles } from "../plan/roles.ts";
import { listTables, makeRows, openTarget, type WithoutRows } from "./sample-rows.ts";

/** What was seen when a migration was tried. */
export interface Proof {
  /** How many made-up rows were there, in how many tables. */
  readonly rows: number;
  readonly tables: number;
  readonly untried: readonly WithoutRows[];
  /** The tables that had to be emptied for the way down. */
  readonly emptied: readonly string[];
  /** The roles that the way down leaves, with their settings and memberships. */
  readonly staying: readonly string[];
}

/** Why a migration does not do what it should, and in which direction. */
export interface Refutation {
  readonly direction: "up" | "down";
  readonly reason: string;
  /** The kinds of what it does not bring or take; none when it failed before that. */
  readonly kinds?: readonly string[];
}

/** A migration that is to be tried. */
export interface Attempt {
  /** `20261125090000_name.sql` */
  readonly file: string;
  readonly text: string;
  /** The folder of the migrations that come before. */
  readonly dir: string;
  /** What the database must hold after it. */
  readonly declared: readonly CatalogEntry[];
  /** A database that holds it: made-up rows have to meet its rules, too. */
  readonly target?: string;
  /** The tables and columns whose rows need not survive: "api.tasks", "api.tasks.title". */
  readonly losing: ReadonlySet<string>;
  /** The tables with a new name afterwards: their rows are found there. */
  readonly renamed: ReadonlyMap<string, string>;
  /** The tables of which a column comes back on the way down that takes no null. */
  readonly emptied: readonly string[];
  /** The roles that it makes: they stay on the way down. */
  readonly newRoles: readonly string[];
}

/**
 * Tries a migration on a throwaway server: the ones before it are applied, rows are made up, then
 * dbmate goes up, down and up again.
 *
 * @returns What was seen, or why it fails.
 */
export async function prove(scratch: Scratch, attempt: Attempt): Promise<Proof | Refutation> {
  return withTemporaryFolder("migrations", async (dir) => {
    const url = await scratch.create();
    try {
      return await runProof({ url, dir }, attempt);
    } finally {
      await scratch.drop(url);
    }
  });
}

async function runProof(
  { url, dir }: { readonly url: string; readonly dir: string },
  attempt: Attempt,
): Promise<Proof | Refutation> {
  cpSync(attempt.dir, dir, { recursive: true });
  await migrate(url, undefined, dir);
  const roles = getRoles(attempt.declared);
  const read = () => withClient(url, (client) => readCatalogWithRoles(client, roles));
  const before = await read();
  const untried = await withClient(url, async (client) =>
    attempt.target === undefined
      ? makeRows(client)
      : withClient(attempt.target, async (target) => makeRows(client, await openTarget(target))),
  );
  const contents = keepContents(await readContents(url), attempt.losing);
  writeFileSync(join(dir, attempt.file), attempt.text);
  const { renamed } = attempt;
  const up = await findRefutation({ url, dir, contents, read, renamed }, "up", attempt.declared);
  if (up) return up;
  const left = await emptyTables(url, contents, attempt);
  const step = { url, dir, read, contents: left, renamed };
  const readOthers = async () => withoutRoles(await read(), attempt.newRoles);
  const returned = withoutRoles(before, attempt.newRoles);
  const failure =
    (await findRefutation({ ...step, read: readOthers }, "down", returned)) ??
    (await findRefutation(step, "up", attempt.declared));
  if (failure) return failure;
  const counts = [...contents.values()].map(({ rows }) => rows.length);
  const filled = counts.filter((count) => count > 0).length;
  return {
    rows: counts.reduce((sum, count) => sum + count, 0),
    tables: filled,
    untried,
    emptied: attempt.emptied,
    staying: attempt.newRoles,
  };
}

/** Takes the rows out of some tables, and so of those that refer to them. @returns What is left. */
async function emptyTables(
  url: string,
  contents: Contents,
  { emptied, renamed }: Attempt,
): Promise<Contents> {
  if (emptied.length === 0) return contents;
  const getName = (table: string) => renamed.get(table) ?? table;
  const tables = emptied.map(getName).join(", ");
  await withClient(url, (client) => client.query(`truncate ${tables} cascade`));
  const now = await readContents(url);
  return new Map(
    [...contents].filter(([table]) => (now.get(getName(table))?.rows.length ?? 0) > 0),
  );
}

/** What a table holds. */
interface Content {
  /** Each as its columns, whose names are quoted where SQL wants it. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** The columns that PostgreSQL computes from the others. */
  readonly computed: ReadonlySet<string>;
}

type Contents = ReadonlyMap<string, Content>;

interface Step {
  readonly url: string;
  readonly dir: string;
  /** Reads what the database holds and a comparison is about. */
  readonly read: () => Promise<CatalogEntry[]>;
  /** The rows that were there at first. */
  readonly contents: Contents;
  readonly renamed: ReadonlyMap<string, string>;
}

async function findRefutation(
  { url, dir, read, contents, renamed }: Step,
  direction: "up" | "down",
  wanted: readonly CatalogEntry[],
): Promise<Refutation | undefined> {
  try {
    if (direction === "up") await migrate(url, undefined, dir);
    else await rollback(url, 1, undefined, dir);
  } catch (error) {
    return { direction, reason: errorMessage(error) };
  }
  const difference = compareCatalogs(wanted, await read());
  const changed = [...difference.missing, ...difference.surplus];
  if (changed.length > 0) {
    const kinds = [...new Set(changed.map(({ kind }) => kind))];
    return { direction, reason: describeMismatch(difference), kinds };
  }
  const names = direction === "up" ? renamed : new Map<string, string>();
  const lost = findLostTable(contents, await readContents(url), names);
  return lost ? { direction, reason: `It changes or loses rows of ${lost}.` } : undefined;
}

function describeMismatch({ missing, surplus }: CatalogDifference): string {
  const line = (sign: string) => (entry: CatalogEntry) =>
    `  ${sign} ${entry.kind} ${entry.name}: ${entry.definition}`;
  return [
    "It arrives somewhere else (- is missing, + is too much):",
    ...missing.map(line("-")),
    ...surplus.map(line("+")),
  ].join("\n");
}

/** The contents without the tables and columns that are given up. */
function keepContents(contents: Contents, losing: ReadonlySet<string>): Contents {
  const kept = [...contents].filter(([table]) => !losing.has(table));
  return new Map(
    kept.map(([table, { rows, computed }]) => {
      const stays = ([name]: [string, unknown]) => !losing.has(`${table}.${name}`);
      const left = rows.map((row) => Object.fromEntries(Object.entries(row).filter(stays)));
      return [table, { rows: left, computed }];
    }),
  );
}

/**
 * The first table of which a row is gone, or has changed in a column that it had. New ones may
 * come, and what is computed before and after may come out differently.
 */
function findLostTable(
  before: Contents,
  after: Contents,
  renamed: ReadonlyMap<string, string>,
): string | undefined {
  for (const [table, { rows, computed }] of before) {
    const now = after.get(renamed.get(table) ?? table);
    const compared = Object.keys(rows[0] ?? {}).filter(
      (name) => !(computed.has(name) && now?.computed.has(name)),
    );
    const toText = (row: Readonly<Record<string, unknown>>) =>
      JSON.stringify(compared.map((name) => row[name]));
    const found = new Set(now?.rows.map(toText));
    if (!rows.map(toText).every((row) => found.has(row))) return table;
  }
  return undefined;
}

async function readContents(url: string): Promise<Contents> {
  return withClient(url, async (client) => {
    const contents = new Map<string, Content>();
    for (const { table, columns } of await listTables(client)) {
      const answer = await client.query<{ row: Record<string, unknown> }>(
        `select (select jsonb_object_agg(quote_ident(key), value) from jsonb_each(to_jsonb(one))) as row from ${table} as one`,
      );
      const rows = answer.rows.map(({ row }) => row);
      const held = new Set(columns.map(({ name }) => name));
      const computed = Object.keys(rows[0] ?? {}).filter((name) => !held.has(name));
      contents.set(table, { rows, computed: new Set(computed) });
    }
    return contents;
  });
}
