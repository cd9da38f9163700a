import { cpSync } from "node:fs";
import { join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { withClient } from "../../stack/database.ts";
import {
  type Migration,
  migrate,
  readAppliedVersions,
  readMigrations,
} from "../../stack/dbmate.ts";
import type { Scratch } from "../../stack/scratch.ts";
import {
  type CatalogDifference,
  type CatalogEntry,
  compareCatalogs,
  readCatalog,
} from "./catalog.ts";
import { describeVersions, type Versions } from "./versions.ts";

/** How a database compares with the migrations. */
export interface History extends Versions {
  /** What differs from the applied files. */
  readonly drift: readonly Drift[];
}

/** Something in a database that differs from its migration. */
interface Drift {
  /** The migration that made it last: edited since, or changed by hand; undefined when none did. */
  readonly file: string | undefined;
  readonly difference: CatalogDifference;
}

/**
 * Compares a database with the migrations that it records: they are applied to a scratch
 * database, and the catalogs are compared. dbmate keeps no checksums; this also finds what was
 * changed by hand. The database is only read.
 *
 * @throws RowhouseError migration_failed when the applied files can no longer be applied.
 */
export async function readHistory(scratch: Scratch, url: string, dir: string): Promise<History> {
  const recorded = await withClient(url, readAppliedVersions);
  const files = readMigrations(dir, recorded);
  const versions = compareVersions(files, recorded);
  const applied = files.filter((file) => file.applied);
  try {
    return { ...versions, drift: await findDrift(scratch, await readCatalog(url), applied, dir) };
  } catch (error) {
    throw toHistoryError(error, versions.unknown);
  }
}

/** Applied migrations that can no longer be applied: what the database is compared with is gone. */
function toHistoryError(error: unknown, unknown: readonly string[]): unknown {
  if (!(error instanceof RowhouseError) || error.code !== "migration_failed") return error;
  const lines = describeVersions({ pending: [], unknown });
  return new RowhouseError(
    "migration_failed",
    [...lines, `The applied migrations no longer apply in order: ${error.message}`].join("\n"),
    unknown.length > 0
      ? "Restore the missing files: `git log -- db/migrations` shows where they went."
      : "That file, or one before it, was edited since: `git log -- db/migrations` shows how.",
    { cause: error },
  );
}

/** What a database and the files do not have in common, by version alone. */
export async function readVersions(url: string, dir: string): Promise<Versions> {
  const recorded = await withClient(url, readAppliedVersions);
  return compareVersions(readMigrations(dir, recorded), recorded);
}

function compareVersions(files: readonly Migration[], recorded: readonly string[]): Versions {
  const known = new Set(files.map(({ version }) => version));
  return {
    pending: files.filter((file) => !file.applied).map(({ file }) => file),
    unknown: recorded.filter((version) => !known.has(version)),
  };
}

async function findDrift(
  scratch: Scratch,
  actual: readonly CatalogEntry[],
  applied: readonly Migration[],
  dir: string,
): Promise<Drift[]> {
  // Nothing was promised yet.
  if (applied.length === 0) return [];
  const [built] = await replay(scratch, [applied], dir);
  const { missing, surplus } = compareCatalogs(built?.catalog ?? [], actual);
  if (missing.length + surplus.length === 0) return [];
  const steps = await replay(
    scratch,
    applied.map((one) => [one]),
    dir,
  );
  const getFile = (entry: CatalogEntry) => lastToTouch(steps, entry);
  const files = new Set([...missing, ...surplus].map(getFile));
  return [...files].map((file) => ({
    file,
    difference: {
      missing: missing.filter((entry) => getFile(entry) === file),
      surplus: surplus.filter((entry) => getFile(entry) === file),
    },
  }));
}

/** What the database held after some migrations. */
interface ReplayStep {
  /** The last of them. */
  readonly file: string | undefined;
  readonly catalog: readonly CatalogEntry[];
}

/** Applies groups of migrations one after the other, and reads the catalog after each. */
async function replay(
  scratch: Scratch,
  groups: readonly (readonly Migration[])[],
  dir: string,
): Promise<ReplayStep[]> {
  return withTemporaryFolder("migrations", async (soFar) => {
    const url = await scratch.create();
    const steps: ReplayStep[] = [];
    try {
      for (const group of groups) {
        for (const { file } of group) cpSync(join(dir, file), join(soFar, file));
        await migrate(url, undefined, soFar);
        steps.push({ file: group.at(-1)?.file, catalog: await readCatalog(url) });
      }
      return steps;
    } finally {
      await scratch.drop(url);
    }
  });
}

/** The last migration after which something of this kind and name was another than before. */
function lastToTouch(
  steps: readonly ReplayStep[],
  { kind, name }: CatalogEntry,
): string | undefined {
  const of = (step: ReplayStep | undefined) =>
    JSON.stringify(
      step?.catalog.filter((entry) => entry.kind === kind && entry.name === name) ?? [],
    );
  return steps.findLast((step, index) => of(step) !== of(steps[index - 1]))?.file;
}
