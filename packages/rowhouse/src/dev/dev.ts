import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describeFaults, type Fault } from "../access/faults/fault.ts";
import { rehearse } from "../access/rehearse/rehearse.ts";
import { describeRehearsal } from "../access/rehearse/text.ts";
import { colours } from "../lib/colours.ts";
import { errorMessage } from "../lib/errors.ts";
import { withoutSwitchedOff } from "../lib/lint-settings.ts";
import { declaredFiles } from "../schema/catalog/declared.ts";
import { describeDifference } from "../schema/catalog/describe.ts";
import { readVersions } from "../schema/catalog/history.ts";
import { describeVersions } from "../schema/catalog/versions.ts";
import { adoptMigrations, describeAdopted } from "../schema/plan/adopt.ts";
import { generateTypes } from "../schema/types.ts";
import { openScratch, type ScratchServer } from "../stack/scratch.ts";
import type { Settings } from "../stack/settings.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { type Change, syncDev } from "./sync.ts";
import { type Watcher, watchFolders } from "./watch.ts";

/** What `rowhouse dev` needs. */
export interface DevOptions {
  readonly settings: Settings;
  /** Whether a save may drop tables and columns. */
  readonly allowDrop: boolean;
  /** The project's folder. */
  readonly root: string;
  /** Takes what happens: a line, or a failure that changed nothing. */
  readonly report: (what: string | Error) => void;
  /** Interrupts the start: what runs already is stopped. */
  readonly signal: AbortSignal;
}

/** A stack that follows the files. */
export interface Dev {
  readonly apiUrl: string;
  /** The folders that are watched, from the project's folder. */
  readonly watched: readonly string[];
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

const watched = ["sql", "policies"];

/** Reading the catalog also waits for a table under an ACCESS EXCLUSIVE lock. */
const slowMessage =
  "Still waiting, possibly for a lock in the dev database: check pg_stat_activity.";

/**
 * Starts the stack, brings its database to what the files declare, and again after each save.
 *
 * @throws RowhouseError with the code of the step that failed. Later failures are reported.
 */
export async function startDev(options: DevOptions): Promise<Dev> {
  const { settings, allowDrop, root, signal } = options;
  // What fails after an interruption fails because of it.
  const report: DevOptions["report"] = (what) => {
    if (!signal.aborted) options.report(what);
  };
  const scratch = await openScratch();
  let stack: Stack;
  try {
    const beforeMigrating = async (url: string) => {
      const adopted = await adoptMigrations(scratch, url, settings.project.migrationsDir);
      for (const one of adopted) report(describeAdopted(one));
      const { unknown } = await readVersions(url, settings.project.migrationsDir);
      for (const line of describeVersions({ pending: [], unknown })) report(line);
    };
    stack = await startStack(settings, report, { beforeMigrating, signal });
  } catch (error) {
    await scratch.close();
    throw error;
  }
  const url = stack.databaseUrl;
  let place = { scratch, roles: readRoles(root) };
  let isTroubled = false;

  const follow = async () => {
    const start = performance.now();
    const slow = setTimeout(() => report(slowMessage), 5000);
    try {
      place = await freshRoles(place, root);
      const beforeApplying = (change: Change) => announce(change, { url, settings, report });
      const isChanged = await syncDev({
        scratch: place.scratch,
        url,
        root,
        allowDrop,
        beforeApplying,
      });
      if (isTroubled) report(colours.green("Resolved: the database is what the files declare."));
      isTroubled = false;
      if (!isChanged) return;
      report(colours.green(`Applied in ${((performance.now() - start) / 1000).toFixed(1)} s.`));
      if (await writeTypes(url, settings.project.typesFile)) report("Wrote the client's types.");
    } catch (error) {
      isTroubled = true;
      report(error instanceof Error ? error : new Error(String(error)));
    } finally {
      clearTimeout(slow);
    }
  };

  const stopStack = async () => {
    await stack.stop();
    await place.scratch.close();
  };
  // Without its PostgreSQL the first change ends soon, and all is stopped below.
  const interrupt = () => void stack.stop();
  signal.addEventListener("abort", interrupt, { once: true });
  await follow();
  signal.removeEventListener("abort", interrupt);
  if (signal.aborted) {
    await stopStack();
    throw signal.reason;
  }
  const watcher = await watchOr(stopStack, () =>
    watchFolders(
      watched.map((dir) => join(root, dir)),
      follow,
      (error) =>
        report(`Saves are no longer seen, restart \`rowhouse dev\`: ${errorMessage(error)}.`),
    ),
  );
  const stop = async () => {
    await watcher.close();
    await stopStack();
  };
  return { apiUrl: stack.apiUrl, watched, done: stack.done, stop };
}

/** Nothing runs on when nothing can be watched. */
async function watchOr(stop: () => Promise<void>, begin: () => Watcher): Promise<Watcher> {
  try {
    return begin();
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A server to build on, and the files of roles that it has seen. */
interface Place {
  readonly scratch: ScratchServer;
  readonly roles: string;
}

function readRoles(root: string): string {
  const files = declaredFiles(root).filter((file) => basename(dirname(file)) === "roles");
  return files.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
}

/** Roles outlive the databases of a server: a role's file that changed wants a new one. */
async function freshRoles(place: Place, root: string): Promise<Place> {
  const roles = readRoles(root);
  if (roles === place.roles) return place;
  const scratch = await openScratch();
  await place.scratch.close();
  return { scratch, roles };
}

/** Reports what changes, and for whom in rows, while the database is still unchanged. */
async function announce(
  { difference, hazards, rules, findFaults }: Change,
  { url, settings, report }: Pick<DevOptions, "settings" | "report"> & { readonly url: string },
): Promise<void> {
  report(colours.bold(`\n${new Date().toLocaleTimeString("en-GB")}  Changed:`));
  for (const line of describeDifference(difference)) report(line);
  for (const { message } of hazards) report(colours.yellow(`  Mind: ${message}`));
  for (const line of await describeEffects(url, rules)) report(line);
  for (const line of await describeFailures(findFaults, settings)) report(line);
}

/** Requests that fail from now on. The save is applied all the same: it may be half of an edit. */
async function describeFailures(
  findFaults: Change["findFaults"],
  { project }: Settings,
): Promise<string[]> {
  try {
    const { brought, resolved } = await findFaults();
    // What a few made-up rows show by chance is left to `lint`.
    const keep = (faults: readonly Fault[]) =>
      withoutSwitchedOff(faults, project.lint).filter(({ rule }) => rule !== "failing_rows");
    const isError = ({ level }: Fault) => level === "error";
    return [
      ...describeFaults(keep(brought)),
      ...keep(resolved)
        .filter(isError)
        .map(({ object }) => colours.green(`Requests no longer fail by ${object}.`)),
    ];
  } catch (error) {
    return [colours.yellow(`Could not tell which requests fail: ${errorMessage(error)}`)];
  }
}

/** When the effects are unknown, the save is still applied to the dev database. */
async function describeEffects(url: string, rules: Change["rules"]): Promise<string[]> {
  const options = { as: [], users: 20, examples: 2, timeout: 5 };
  try {
    const rehearsal = await rehearse(url, rules, options);
    return rehearsal.changes.length + rehearsal.functions.length > 0
      ? describeRehearsal(rehearsal)
      : [];
  } catch (error) {
    return [colours.yellow(`  Could not tell who gains or loses access: ${errorMessage(error)}`)];
  }
}

/** @returns Whether they had to be. */
async function writeTypes(url: string, file: string): Promise<boolean> {
  const types = await generateTypes(url);
  if (existsSync(file) && readFileSync(file, "utf8") === types) return false;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, types);
  return true;
}
