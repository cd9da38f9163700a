import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { errorMessage } from "../../lib/errors.ts";
import {
  type CatalogEntry,
  compareCatalogs,
  readCatalogOn,
  withoutOwners,
} from "../../schema/catalog/catalog.ts";
import { describeDifference } from "../../schema/catalog/describe.ts";
import { withClient } from "../../stack/database.ts";
import { prepareSession, readFacts } from "../facts.ts";
import { type Backup, type Facts, hashCatalog } from "../manifest.ts";

/** One thing that a drill looked at. */
export interface Check {
  readonly name: string;
  /** How much was looked at: "214 indexes". */
  readonly of: string;
  /** Where there was nothing to try, so that it shows nothing. */
  readonly notTried?: true;
  /** What is wrong, a line each. */
  readonly faults: readonly string[];
}

/**
 * Compares a restored database with the backup's manifest. An error while looking is a fault like
 * any other: a damaged database can fail in any way.
 */
export async function prove(url: string, backup: Backup): Promise<Check[]> {
  return withClient(url, async (client) => {
    await prepareSession(client);
    const counted = await attempt("rows", () => contentCheck(client, backup.manifest));
    const catalog = await attempt("catalog", () => catalogCheck(client, backup));
    const indexes = await attempt("indexes", () => indexCheck(client));
    return [counted, catalog, indexes];
  });
}

/** Turns a failure into a fault. */
export async function attempt(name: string, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    return { name, of: "not finished", faults: [errorMessage(error)] };
  }
}

async function contentCheck(client: pg.Client, wanted: Facts): Promise<Check> {
  const actual = await readFacts(client);
  const rows = wanted.tables.reduce((sum, table) => sum + Number(table.rows), 0);
  return {
    name: "rows",
    of: `${rows} rows in ${wanted.tables.length} tables, ${wanted.sequences.length} sequences, ${wanted.settings.length} settings`,
    faults: [
      ...tableFaults(wanted.tables, actual.tables),
      ...sequenceFaults(wanted.sequences, actual.sequences),
      ...settingFaults(wanted.settings, actual.settings),
    ],
  };
}

function tableFaults(wanted: Facts["tables"], actual: Facts["tables"]): string[] {
  const found = new Map(actual.map((table) => [table.name, table]));
  const surplus = actual.filter(({ name }) => !wanted.some((table) => table.name === name));
  return [
    ...wanted.flatMap(({ name, rows, hash }) => {
      const table = found.get(name);
      if (table === undefined) return [`${name} is missing`];
      if (table.rows !== rows) return [`${name} has ${table.rows} rows, and had ${rows}`];
      return table.hash === hash ? [] : [`${name} has different rows than the backup`];
    }),
    ...surplus.map(({ name }) => `${name} was not there`),
  ];
}

/** After a recovery a sequence may have skipped numbers; to give one out twice it must not. */
function sequenceFaults(wanted: Facts["sequences"], actual: Facts["sequences"]): string[] {
  const found = new Map(actual.map(({ name, value }) => [name, value]));
  return wanted.flatMap(({ name, value }) => {
    if (!found.has(name)) return [`the sequence ${name} is missing`];
    if (value === null) return [];
    const now = found.get(name) ?? null;
    return now !== null && BigInt(now) >= BigInt(value)
      ? []
      : [`the sequence ${name} stands at ${now ?? "its start"}, and stood at ${value}`];
  });
}

function settingFaults(wanted: Facts["settings"], actual: Facts["settings"]): string[] {
  const key = ({ name, hash }: Facts["settings"][number]) => `${name} ${hash}`;
  const [before, now] = [new Set(wanted.map(key)), new Set(actual.map(key))];
  return [
    ...wanted.filter((one) => !now.has(key(one))).map(({ name }) => `settings of ${name} differ`),
    ...actual
      .filter((one) => !before.has(key(one)))
      .map(({ name }) => `settings of ${name} are new`),
  ];
}

/** Policies, row-level security, grants, roles, memberships, and all else but rows. */
async function catalogCheck(client: pg.Client, { dir, manifest }: Backup): Promise<Check> {
  const wanted: CatalogEntry[] = JSON.parse(readFileSync(join(dir, "catalog.json"), "utf8"));
  const all = await readCatalogOn(client);
  const actual = manifest.kind === "dump" ? withoutOwners(all) : all;
  const difference = compareCatalogs(wanted, actual);
  const sameHash = hashCatalog(actual) === manifest.catalog;
  return {
    name: "catalog",
    of: `${wanted.length} entries: policies, grants, roles ...`,
    faults: [
      ...describeDifference(difference).map((line) => line.trim()),
      ...(sameHash ? [] : ["the catalog is not the one of the manifest"]),
    ],
  };
}

/** Every index holds every row, in order; every row can be read. */
async function indexCheck(client: pg.Client): Promise<Check> {
  await client.query("reset search_path");
  await client.query("create extension if not exists amcheck");
  const query = readFileSync(join(import.meta.dirname, "../facts", "indexes.sql"), "utf8");
  const { rows } = await client.query<{ oid: number; name: string; method: string }>(query);
  const faults: string[] = [];
  for (const { oid, name, method } of rows) {
    const look =
      method === "gin"
        ? "select gin_index_check($1::oid::regclass)"
        : "select bt_index_parent_check($1::oid::regclass, heapallindexed => true, rootdescend => true)";
    await client.query(look, [oid]).catch((error) => {
      faults.push(`${name}: ${errorMessage(error)}`);
    });
  }
  const heaps = readFileSync(join(import.meta.dirname, "../facts", "heaps.sql"), "utf8");
  const damaged = await client.query<{ fault: string }>(heaps);
  faults.push(...damaged.rows.map(({ fault }) => fault));
  return { name: "indexes", of: `${rows.length} indexes, and the rows under them`, faults };
}
