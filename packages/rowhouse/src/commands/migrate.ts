import { Command, InvalidArgumentError } from "commander";
import { note, noteIfSlow, print, printResult } from "../lib/output.ts";
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
throwaway server, and prints each statement with the locks that it takes on existing tables.
After migrating, it waits until PostgREST (of the stack that runs here, or at --api) serves every
new column.
The exit code is 1 when a migration fails, or when PostgREST does not serve the new schema in time.`;

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
    const applied = await migrate(
      url,
      () => note(waitingText),
      settings.project.migrationsDir,
      lockRetries,
    );
    printResult({ applied }, json, describeApplied);
    const served = api ?? (await apiHere(settings));
    if (served) await assertServedSoon(url, served);
  });
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
  const { tryPending } = await import("../schema/deploy/dry-run.ts");
  const { describePending } = await import("../schema/deploy/text.ts");
  const { withScratch } = await import("../stack/scratch.ts");
  const trying = withDatabase(settings, openHome(settings.home), (url) =>
    withScratch((scratch) => tryPending(scratch, url)),
  );
  const pending = await noteIfSlow("Applying the migrations to a copy ...", trying);
  printResult(pending, json, describePending);
  if (!json && pending.length === 0) print("Nothing to do: every migration is applied.");
}

function parseRetries(value: string): number {
  return value === "0" ? 0 : parseCount(value);
}

function parseApi(value: string): string {
  if (/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : "")) return value;
  throw new InvalidArgumentError("Give a URL like http://127.0.0.1:3000.");
}
