import { Command, InvalidArgumentError } from "commander";
import type { Fault } from "../access/faults/fault.ts";
import { errorMessage, RowhouseError } from "../lib/errors.ts";
import { withoutSwitchedOff } from "../lib/lint-settings.ts";
import { note, noteIfSlow, print, printResult } from "../lib/output.ts";
import type { Pending } from "../schema/deploy/dry-run.ts";
import { migrate, waitingText } from "../stack/dbmate.ts";
import { withDatabase } from "../stack/embedded.ts";
import { openHome } from "../stack/home.ts";
import { runningState } from "../stack/lock.ts";
import { defaultLockRetries, type LockRetries } from "../stack/lock-retries.ts";
import { readSettings, type Settings } from "../stack/settings.ts";
import { parseCount } from "./options.ts";

const help = `
A statement that waits for a lock makes every request behind it wait, too. So it gives up after
--lock-timeout, and the migration is retried after 1 s, 2 s, 4 s, up to 16 s. A migration that sets
lock_timeout itself, like those of \`rowhouse db migration\`, keeps its own.
--dry-run only reads: it applies the pending migrations to an empty copy of the schema, on a
throwaway server, and prints each statement with the locks that it takes on existing tables, and which
requests would fail afterwards.
With --api, that is looked at first: nothing is migrated when requests would fail that do not fail now.
After migrating, it waits until PostgREST (of the stack that runs here, or at --api) serves every
new column, and reports requests that fail now.
The exit code is 1 when a migration fails, when requests would fail, or when PostgREST does not serve
the new schema in time.`;

interface Options {
  readonly lockTimeout: number;
  readonly retries: number;
  readonly dryRun?: true;
  readonly api?: string;
  readonly json?: true;
}

/** `rowhouse migrate` */
export const migrateCommand = new Command("migrate")
  .description("apply the pending migrations with dbmate")
  .option(
    "--lock-timeout <seconds>",
    "how long a statement may wait for a lock",
    parseCount,
    defaultLockRetries.lockTimeout,
  )
  .option(
    "--retries <n>",
    "how often to retry when a lock was in the way",
    parseRetries,
    defaultLockRetries.retries,
  )
  .option("--dry-run", "only print the pending SQL, and the locks that it takes")
  .option("--api <url>", "the PostgREST that has to serve the new schema", parseApi)
  .option("--json", "for programs: what --dry-run finds, or the files that were applied")
  .addHelpText("after", help)
  .action(async (options: Options) => {
    await (options.dryRun ? dryRun(options) : deploy(options));
  });

async function deploy({ api, json, ...limits }: Options): Promise<void> {
  const settings = readSettings();
  const lockRetries: LockRetries = { ...limits, onRetry: note };
  await withDatabase(settings, openHome(settings.home), async (url) => {
    await refuseAdoptable(url);
    if (api) await refuseFailing(url, settings);
    const before = await readFaultsHere(url);
    const applied = await migrate(
      url,
      () => note(waitingText),
      settings.project.migrationsDir,
      lockRetries,
    );
    printResult({ applied }, json, describeApplied);
    const served = api ?? (await apiHere(settings));
    if (served) await assertServedSoon(url, served);
    const { findNewFaults } = await import("../access/faults/fault.ts");
    if (before && applied.length > 0) {
      const after = (await readFaultsHere(url)) ?? [];
      const faults = keepErrors(findNewFaults(before, after), settings);
      if (faults.length > 0) await reportFailing(faults, api !== undefined);
    }
  });
}

/** @throws RowhouseError migration_failed when all that is pending is what the database was read for. */
async function refuseAdoptable(url: string): Promise<void> {
  const { adoptRemedy, findAdoptable } = await import("../stack/baseline.ts");
  const file = await findAdoptable(url);
  if (file === undefined) return;
  throw new RowhouseError(
    "migration_failed",
    `${file} makes what a database held when this project was made of it, and this database has objects already.`,
    `Nothing was migrated. ${adoptRemedy}`,
  );
}

/**
 * What makes requests fail in the database itself; undefined when that cannot be told, which is no
 * reason to keep a deploy back.
 */
async function readFaultsHere(url: string): Promise<Fault[] | undefined> {
  const { readFaults } = await import("../access/faults/faults.ts");
  try {
    return await readFaults(url);
  } catch (error) {
    note(`Could not tell which requests fail: ${errorMessage(error)}`);
    return undefined;
  }
}

function keepErrors(faults: readonly Fault[], { project }: Settings): Fault[] {
  return withoutSwitchedOff(faults, project.lint).filter(({ level }) => level === "error");
}

/** @throws RowhouseError requests_fail, when a deploy to an API has to fail. */
async function reportFailing(faults: readonly Fault[], isDeploy: boolean): Promise<void> {
  const { describeFaults, describeKeeping } = await import("../access/faults/fault.ts");
  if (!isDeploy) {
    for (const line of [...describeFaults(faults), describeKeeping(faults)]) note(line);
    return;
  }
  throw new RowhouseError(
    "requests_fail",
    ["The migrations are applied, and requests fail now:", ...describeFaults(faults)].join("\n"),
    describeKeeping(faults),
  );
}

/**
 * Looks on a copy at what requests would meet after the deploy.
 *
 * @throws RowhouseError requests_fail when some would fail that do not fail now.
 */
async function refuseFailing(url: string, settings: Settings): Promise<void> {
  const tried = await tryOnCopy(url, settings).catch((error: unknown) => {
    note(`Could not tell beforehand which requests would fail: ${errorMessage(error)}`);
    return undefined;
  });
  const faults = tried?.faults ?? [];
  if (faults.length === 0) return;
  const { describeFaults, describeKeeping } = await import("../access/faults/fault.ts");
  throw new RowhouseError(
    "requests_fail",
    ["After these migrations requests would fail:", ...describeFaults(faults)].join("\n"),
    `Nothing was migrated: write the next migration, and deploy both. ${describeKeeping(faults)}`,
  );
}

/** What is pending, and what fails afterwards that does not fail now. */
interface Trial {
  readonly pending: readonly Pending[];
  readonly faults: readonly Fault[];
}

async function tryOnCopy(url: string, settings: Settings): Promise<Trial> {
  const { findNewFaults } = await import("../access/faults/fault.ts");
  const { readFaultsWithRows } = await import("../access/faults/faults.ts");
  const { tryPending } = await import("../schema/deploy/dry-run.ts");
  const { withScratch } = await import("../stack/scratch.ts");
  const sides: { before: Fault[]; after: Fault[] } = { before: [], after: [] };
  const look = (side: "before" | "after") => async (copy: string) => {
    sides[side] = await readFaultsWithRows(copy);
  };
  const examination = { before: look("before"), after: look("after") };
  const pending = await withScratch((scratch) =>
    tryPending(scratch, url, settings.project.migrationsDir, examination),
  );
  return { pending, faults: keepErrors(findNewFaults(sides.before, sides.after), settings) };
}

function describeApplied({ applied }: { applied: readonly string[] }): string[] {
  if (applied.length === 0) return ["Nothing to do: every migration is applied."];
  return applied.map((file) => `applied ${file}`);
}

/** The API of the stack that runs here on the database that is migrated. */
async function apiHere(settings: Settings): Promise<string | undefined> {
  const state = await runningState(openHome(settings.home));
  const embedded = state?.databasePort !== undefined;
  return embedded === (settings.databaseUrl === undefined) ? state?.apiUrl : undefined;
}

async function assertServedSoon(url: string, api: string): Promise<void> {
  const { assertServed } = await import("../schema/deploy/served.ts");
  await noteIfSlow(
    `Waiting for ${api} to serve the new schema ...`,
    assertServed(url, api, 10_000),
  );
}

async function dryRun({ json }: Options): Promise<void> {
  const settings = readSettings();
  const { describeFaults } = await import("../access/faults/fault.ts");
  const { describePending } = await import("../schema/deploy/text.ts");
  const trying = withDatabase(settings, openHome(settings.home), async (url) => {
    await refuseAdoptable(url);
    return tryOnCopy(url, settings);
  });
  const trial = await noteIfSlow("Applying the migrations to a copy ...", trying);
  const { pending, faults } = trial;
  printResult(trial, json, () => describePending(pending));
  if (!json) for (const line of describeFaults(faults)) note(line);
  if (faults.length > 0) process.exitCode = 1;
  if (!json && pending.length === 0) print("Nothing to do: every migration is applied.");
}

function parseRetries(value: string): number {
  return value === "0" ? 0 : parseCount(value);
}

function parseApi(value: string): string {
  if (/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : "")) return value;
  throw new InvalidArgumentError("Give a URL like http://127.0.0.1:3000.");
}
