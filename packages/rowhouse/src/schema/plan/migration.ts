import { readdirSync } from "node:fs";
import { RowhouseError } from "../../lib/errors.ts";
import { withClient } from "../../stack/database.ts";
import { migrate } from "../../stack/dbmate.ts";
import { defaultLockRetries } from "../../stack/lock-retries.ts";
import type { Scratch } from "../../stack/scratch.ts";
import { areEqual } from "../catalog/catalog.ts";
import { unplanned } from "../catalog/coverage.ts";
import { buildDeclared } from "../catalog/declared.ts";
import { parseStatement } from "../catalog/sql.ts";
import { type Proof, prove, type Refutation } from "../proof/prove.ts";
import { fillColumn } from "../proof/sample-rows.ts";
import { readAnonymousRole } from "./anonymous.ts";
import { type Backfill, findRequired, markedPlace, splitRequired } from "./backfill.ts";
import { areBodiesUnchecked, leaveBodiesUnchecked } from "./bodies.ts";
import { fitSources } from "./fit.ts";
import type { Hazard } from "./hazard.ts";
import { findPlanHazards } from "./hazards.ts";
import { findNewLabels } from "./labels.ts";
import { planChanges } from "./plan.ts";
import { tablesToEmpty } from "./recreated.ts";
import {
  applyRenames,
  getOldName,
  mapRenamedTables,
  type Rename,
  renameStatements,
} from "./rename.ts";
import { findNewRoles, keepRoles, listRoles } from "./roles.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";
import { declaredSources, migratedSources } from "./sources.ts";
import { changesRoles } from "./statement.ts";

/** The migration that leads from db/migrations to sql/ and policies/. */
export interface Draft {
  /** `20261125090000_name.sql` */
  readonly file: string;
  readonly text: string;
  /** The statements that are applied. */
  readonly up: readonly string[];
  readonly hazards: readonly Hazard[];
  readonly proof: Proof;
  /** The columns whose values a person has to write into the file. */
  readonly backfills: readonly Backfill[];
  /** Throwaway databases: what db/migrations built so far, and what is declared. */
  readonly before: string;
  readonly after: string;
}

/** What the two sides are built from, and where. */
export interface DraftOptions {
  /** The project's folder: sql/ and policies/ are in it. */
  readonly root: string;
  /** The migrations that there are. */
  readonly dir: string;
  /** Roles belong to a server: each side has one of its own. */
  readonly migrated: Scratch;
  readonly declared: Scratch;
  /** The tables and columns that have a new name. */
  readonly renames?: readonly Rename[];
  /** Whether a column that needs a backfill is drafted with the place for it. */
  readonly backfill?: boolean;
  /** Called with the hazards before anything is tried; it may throw. */
  readonly permit?: (hazards: readonly Hazard[]) => void;
}

/**
 * Drafts the missing migration, and tries it.
 *
 * @param name What comes after the timestamp in the file's name.
 * @returns The draft; undefined when both sides are equal already.
 * @throws RowhouseError plan_unproven when no plan arrives there and back; declaration_failed;
 *   migration_failed.
 */
export async function draftMigration(
  options: DraftOptions,
  name: string,
): Promise<Draft | undefined> {
  const { root, dir, renames = [] } = options;
  const { from, to, source, target } = await readSides(options);
  const declared = to.catalog;
  if (areEqual(from.catalog, declared) && renames.length === 0) return undefined;
  const unchecked = areBodiesUnchecked(root);
  const written = await fitSources(source, [from, to], declaredSources(root), { unchecked });
  const hazards = findPlanHazards([from, to], written);
  options.permit?.(hazards);
  const dropped = hazards.filter(({ kind }) => kind === "drop").map(({ object }) => object);
  // What was in a renamed column is found under its new name.
  const columns = renames.filter(({ column }) => column !== undefined);
  const losing = new Set([...dropped, ...columns.map(getOldName)]);
  const emptied = tablesToEmpty(hazards, from.catalog).filter(
    (table) => !losing.has(table) && declared.some((one) => one.name === table),
  );
  const renamed = mapRenamedTables(renames);
  const newRoles = findNewRoles(from.catalog, declared);
  const file = `${nextVersion(dir)}_${name}.sql`;

  let refutation: Refutation | undefined;
  const back = [to, from] as const;
  const plans = [
    // As people wrote it, where that arrives; else as PostgreSQL writes it.
    async () => {
      const fit = { staying: newRoles, unchecked };
      return [written, await fitSources(target, back, migratedSources(dir), fit)] as const;
    },
    async () => [planChanges(from, to), planChanges(...back)] as const,
    // A label that comes back and is used at once: only a type that is made anew can do that.
    async () => {
      const labels = findNewLabels(declared, from.catalog);
      if (labels.length === 0 || !isLabelTooNew(refutation)) return undefined;
      const types = new Set(labels.map(({ type }) => type));
      const odd = await readWithOtherLabels(options.declared, target, types);
      return [written, planChanges(odd, from)] as const;
    },
  ];
  for (const plan of plans) {
    const pair = await plan();
    if (pair === undefined) continue;
    const [there, planned] = pair;
    const up = [...renameStatements(renames), ...there];
    const down = [...keepRoles(planned, newRoles), ...renameStatements(renames, true)];
    const backfills = options.backfill ? findRequired(up) : [];
    const filled = await withMadeUpValues(up, backfills, target);
    const text = migrationText(filled, down, { emptied, unchecked });
    const attempt = { file, text, dir, declared, losing, renamed, emptied, newRoles, target };
    const outcome = await prove(options.migrated, attempt);
    if ("rows" in outcome) {
      const shown = backfills.length > 0 ? splitRequired(up, (one) => [markedPlace(one)]) : up;
      const text = migrationText(shown, down, { emptied, unchecked });
      const sides = { before: source, after: target };
      return { file, text, up: shown, hazards, proof: outcome, backfills, ...sides };
    }
    refutation ??= outcome;
  }
  throw unproven(refutation, findNewLabels(from.catalog, declared));
}

/** What is tried in place of the values that a person will write. */
async function withMadeUpValues(
  statements: readonly string[],
  backfills: readonly Backfill[],
  target: string,
): Promise<readonly string[]> {
  if (backfills.length === 0) return statements;
  return withClient(target, async (client) => {
    const values = new Map<string, string[]>();
    for (const { table, column } of backfills)
      values.set(`${table}.${column}`, await fillColumn(client, table, column));
    return splitRequired(statements, (one) => values.get(`${one.table}.${one.column}`) ?? []);
  });
}

/** Whether the way down uses a label in the transaction that brings it back. */
function isLabelTooNew(refutation: Refutation | undefined): boolean {
  return refutation?.direction === "down" && unknownLabel.test(refutation.reason);
}

/**
 * A snapshot whose enums have one more label: a plan from there makes the types anew instead of
 * adding to them, and never names that label, so it works without it too.
 */
async function readWithOtherLabels(
  scratch: Scratch,
  template: string,
  types: ReadonlySet<string>,
): Promise<Snapshot> {
  const url = await scratch.create(template);
  try {
    await withClient(url, async (client) => {
      for (const type of types) await client.query(`alter type ${type} add value 'rowhouse_odd'`);
    });
    return await readSnapshot(url);
  } finally {
    await scratch.drop(url);
  }
}

/** SQLSTATEs of "unsafe use of new value" and of a value that an enum does not have (yet). */
const unknownLabel = /\((?:55P04|22P02)\)/;

function unproven(
  refutation: Refutation | undefined,
  labels: ReturnType<typeof findNewLabels>,
): RowhouseError {
  const reason = refutation?.reason ?? "";
  const used = unknownLabel.test(reason)
    ? labels.find(({ label }) => reason.includes(label.replace(/^E?'(.*)'$/, "$1")))
    : undefined;
  return new RowhouseError(
    "plan_unproven",
    `Found no plan that leads from db/migrations to sql/ and policies/. It fails on the way ${refutation?.direction}: ${reason}`,
    used === undefined
      ? findRemedy(reason, refutation?.kinds)
      : `PostgreSQL lets a new label be used only after the migration that adds it. Write two: declare ${used.label} in ${used.type} alone, run \`rowhouse db migration\`, then declare what uses it and run it again.`,
  );
}

/** What to do about a plan that fails, by its SQLSTATE or by what it does not bring. */
function findRemedy(reason: string, kinds: readonly string[] = []): string {
  if (kinds.length > 0 && kinds.every((kind) => kind in unplanned))
    return `Rowhouse compares this and does not plan it (${kinds.join(", ")}). Leave it declared, and write its migration by hand: \`npx dbmate new <name>\`, up and down. \`rowhouse db check\` verifies it.`;
  if (reason.includes("(23502)"))
    return "Rows that are there have no value for it. Give the column a default, or run `rowhouse db migration <name> --draft`: it writes the file with the place for their values.";
  if (reason.includes("(23503)"))
    return "Rows that are there refer to rows that the new table does not have. If the table has a new name only, say so: `--rename api.old=new`. Otherwise write this migration by hand; `rowhouse db check` verifies it.";
  if (reason.includes("(2BP01)"))
    return "Something that stays still uses what would be dropped: the message names both. Declare it without that first, run `rowhouse db migration`, then drop.";
  return "Write this migration by hand; `rowhouse db check` verifies it.";
}

/** The two sides, and the databases that they were read from. */
interface Sides {
  readonly from: Snapshot;
  readonly to: Snapshot;
  readonly source: string;
  readonly target: string;
}

/** What db/migrations build, and what sql/ and policies/ declare. */
async function readSides({ root, dir, renames = [], ...sides }: DraftOptions): Promise<Sides> {
  const [migrated, declared] = [await sides.migrated.create(), await sides.declared.create()];
  // On one server, both have the roles of both: then only those of the API are seen.
  const isShared = sides.migrated.serverUrl === sides.declared.serverUrl;
  const others = await listRoles(declared);
  await Promise.all([migrate(migrated, undefined, dir), buildDeclared(declared, root)]);
  await applyRenames(migrated, renames);
  const now = isShared ? [] : await listRoles(declared);
  const roles = now.filter((name) => !others.includes(name));
  const known = { roles, anonymous: readAnonymousRole(root) };
  const snapshots = [readSnapshot(migrated, known), readSnapshot(declared, known)] as const;
  const [from, to] = await Promise.all(snapshots);
  return { from, to, source: migrated, target: declared };
}

/** The time in UTC, or a second after the newest migration: dbmate runs them in this order. */
function nextVersion(dir: string): string {
  const newest = readdirSync(dir).sort().at(-1)?.split("_")[0] ?? "";
  const now = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  return now > newest ? now : String(BigInt(newest) + 1n);
}

/** A dbmate migration that does not wait long for locks, and notifies PostgREST at its end. */
function migrationText(
  up: readonly string[],
  down: readonly string[],
  { emptied, unchecked }: { readonly emptied: readonly string[]; readonly unchecked: boolean },
): string {
  const limits = emptied.map((table) => `-- Only while ${table} is empty: a column comes back.`);
  return [
    "-- migrate:up",
    ...part(up, unchecked),
    "-- migrate:down",
    ...limits,
    ...part(down, unchecked),
  ]
    .join("\n\n")
    .concat("\n");
}

function part(statements: readonly string[], unchecked: boolean): string[] {
  const reload = ["notify pgrst, 'reload schema'"];
  // PostgREST reads the settings of roles only with its configuration.
  if (statements.some((sql) => changesRoles(parseStatement(sql)))) {
    reload.push("notify pgrst, 'reload config'");
  }
  const lines = [...statements, reload.join(";\n")];
  return [
    `set local lock_timeout = '${defaultLockRetries.lockTimeout}s';`,
    ...(unchecked && makesFunction(statements) ? [`${leaveBodiesUnchecked};`] : []),
    // A place for a person to write is a comment, and no statement.
    ...lines.map((sql) => (/^--.*(\n--.*)*$/.test(sql) ? sql : `${sql};`)),
  ];
}

function makesFunction(statements: readonly string[]): boolean {
  return statements.map(parseStatement).some((tree) => tree && "CreateFunctionStmt" in tree);
}
