import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RowhouseError } from "../../lib/errors.ts";
import { type Project, readProject } from "../../lib/project.ts";
import { withTemporaryFolder } from "../../lib/temporary.ts";
import { version } from "../../lib/version.ts";
import { withScratchPair } from "../../stack/scratch.ts";
import type { Hazard } from "../plan/hazard.ts";
import { type Draft, draftMigration } from "../plan/migration.ts";
import { type FileChange, mergeFile } from "./merge.ts";
import { type Files, formatLock, lockFile, readLock, readOwnedFiles } from "./owned-files.ts";

/** What an upgrade does to a project, before it is done. */
export interface Upgrade {
  /** The versions of the tool that wrote the files: now, and afterwards. */
  readonly from: string;
  readonly to: string;
  readonly changes: readonly FileChange[];
  /**
   * The migration that brings the database in step, proven; undefined when the database does not
   * change, or when a conflict has to be resolved first.
   */
  readonly draft: Draft | undefined;
}

/** Who judges the migration of an upgrade; each may throw. */
export interface Judge {
  /** Told its hazards, before it is tried. */
  readonly permit: (hazards: readonly Hazard[]) => void;
  /** Shown the draft, as long as its databases are there. */
  readonly check: (draft: Draft) => Promise<void>;
}

/**
 * Plans the upgrade of a project to this version of the tool. It writes nothing.
 *
 * @throws RowhouseError lock_missing, lock_invalid, upgrade_refused when the project's own changes
 *   still lack a migration; what `draftMigration` throws.
 */
export async function planUpgrade(
  project: Project,
  judge: Judge,
  owned: Files = readOwnedFiles(),
): Promise<Upgrade> {
  const lock = readLock(project.root);
  const to = version();
  assertNotNewer(lock.version, to);
  assertResolved(project.root, Object.keys(owned));
  const changes = mergeAll(project.root, lock.files, owned, `rowhouse ${to}`);
  const upgrade = { from: lock.version, to, changes };
  const touchesSql = changes.some(
    ({ path, outcome }) => path.startsWith("sql/") && outcome !== "kept",
  );
  const hasConflict = changes.some(({ outcome }) => outcome === "conflict");
  if (!touchesSql || hasConflict) return { ...upgrade, draft: undefined };
  return { ...upgrade, draft: await draftUpgrade(project, changes, to, judge) };
}

/** Files of a later version must not be taken back by an installation that was not updated. */
function assertNotNewer(from: string, to: string): void {
  if (from.localeCompare(to, "en", { numeric: true }) <= 0) return;
  throw new RowhouseError(
    "upgrade_refused",
    `Rowhouse ${from} wrote the files of this project, and ${to} is installed.`,
    "Nothing was changed. Install that version or a later one: `npm install`.",
  );
}

function assertResolved(root: string, paths: readonly string[]): void {
  const marked = paths.filter((path) => {
    const file = join(root, path);
    return existsSync(file) && /^(<{7} yours|>{7} rowhouse )/m.test(readFileSync(file, "utf8"));
  });
  if (marked.length === 0) return;
  throw new RowhouseError(
    "upgrade_refused",
    `Conflict markers of an earlier upgrade are left in ${marked.join(", ")}.`,
    "Resolve them, then run `npx rowhouse db migration upgrade`.",
  );
}

/** Carries out a planned upgrade: the files, the lock and the migration. */
export function applyUpgrade(
  { root, migrationsDir }: Project,
  { to, changes, draft }: Upgrade,
  owned: Files = readOwnedFiles(),
): void {
  if (draft) writeFileSync(join(migrationsDir, draft.file), draft.text, { flag: "wx" });
  writeChanges(root, changes);
  writeFileSync(join(root, lockFile), formatLock({ version: to, files: owned }));
}

function mergeAll(root: string, base: Files, owned: Files, label: string): FileChange[] {
  const paths = [...new Set([...Object.keys(base), ...Object.keys(owned)])].sort();
  return paths.flatMap((path) => {
    const file = join(root, path);
    const yours = existsSync(file) ? readFileSync(file, "utf8") : undefined;
    return mergeFile(path, { base: base[path], yours, theirs: owned[path] }, label) ?? [];
  });
}

/** The migration is drafted from a copy of the project, so that a failure leaves nothing behind. */
async function draftUpgrade(
  project: Project,
  changes: readonly FileChange[],
  to: string,
  { permit, check }: Judge,
): Promise<Draft | undefined> {
  await assertMigrated(project);
  return withTemporaryFolder("upgrade", async (dir) => {
    for (const part of ["sql", "policies", "db"]) {
      cpSync(join(project.root, part), join(dir, part), { recursive: true });
    }
    writeChanges(dir, changes);
    const name = `upgrade_to_${to.replace(/\W+/g, "_")}`;
    return withScratchPair(async (migrated, declared) => {
      const { root, migrationsDir } = readProject(dir);
      const sides = { root, dir: migrationsDir, migrated, declared };
      const draft = await draftMigration({ ...sides, permit }, name);
      if (draft) await check(draft);
      return draft;
    });
  });
}

/** Changes of one's own would end up in the same migration, and could not be told from the tool's. */
async function assertMigrated({ root, migrationsDir: dir }: Project): Promise<void> {
  const draft = await withScratchPair((migrated, declared) =>
    draftMigration({ root, dir, migrated, declared }, "own"),
  );
  if (draft === undefined) return;
  throw new RowhouseError(
    "upgrade_refused",
    "sql/ and policies/ hold changes that no migration brings yet.",
    "Nothing was changed. Run `npx rowhouse db migration <name>` first, then upgrade.",
  );
}

function writeChanges(root: string, changes: readonly FileChange[]): void {
  for (const { path, outcome, text } of changes) {
    const file = join(root, path);
    if (outcome === "removed") rmSync(file);
    if (text === undefined) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
